import type { Clock } from "../../src/primitives/clock.js";
import type { ServerSettings } from "../../src/server/options.js";
import { LateBackend, type Step } from "../support/late-backend.js";
import type { Seeded } from "./seeded.js";

/** Longest that a step takes, in ms. */
export const STEP_MS_MAX = 1_200;

/** Of a thousand steps, so many fail before they were taken, and so many after. */
const FAILING = 3;

/** A backend somewhere else: it takes its time, and sometimes it cannot be reached, or its answer is lost. */
export class SlowBackend extends LateBackend {
  readonly #clock: Clock;
  readonly #random: Seeded;
  readonly #isCalm: () => boolean;
  #isClosed = false;

  constructor(settings: ServerSettings, random: Seeded, isCalm: () => boolean) {
    super(settings);
    this.#clock = settings.clock;
    this.#random = random;
    this.#isCalm = isCalm;
  }

  override async late<T>(_step: Step, run: () => T): Promise<T> {
    const roll = this.#random.int(0, 999);
    const delayMs = this.#delayMs();
    if (delayMs > 0) {
      await new Promise<void>((resolve) => this.#clock.schedule(delayMs, resolve));
    }
    const isFailing = !this.#isCalm() && roll < 2 * FAILING;
    if (this.#isClosed || (isFailing && roll < FAILING)) throw new Error("cannot be reached");
    const result = run();
    if (isFailing) throw new Error("the answer was lost");
    return result;
  }

  override close(): void {
    this.#isClosed = true;
    super.close();
  }

  #delayMs(): number {
    if (this.#random.chance(0.5)) return 0;
    const isLong = this.#random.chance(0.05) && !this.#isCalm();
    return isLong ? this.#random.int(20, STEP_MS_MAX) : this.#random.int(1, 20);
  }
}
