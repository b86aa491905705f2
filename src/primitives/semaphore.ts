import { abortable } from "./deadline.js";
import type { Signal } from "./signal.js";

/** At most so many at a time; the others wait in the order in which they came. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param countMax - how many at a time, 1 or more */
  constructor(countMax: number) {
    this.#free = countMax;
  }

  /** Takes a slot if one is free. @returns what gives it back; calling that twice is harmless */
  tryTake(): (() => void) | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return this.#giveBackOnce();
  }

  /**
   * Takes a slot, now or when one is given back.
   *
   * @returns what gives it back; calling that twice is harmless
   * @throws the signal's reason when it is aborted while waiting
   */
  async take(signal?: Signal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return this.#giveBackOnce();
  }

  #giveBackOnce(): () => void {
    let held = true;
    return () => {
      if (held) this.#give();
      held = false;
    };
  }

  async #wait(signal: Signal | undefined): Promise<void> {
    let wake: () => void = nothing;
    const turn = new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(resolve);
    });
    try {
      await abortable(turn, signal);
    } catch (thrown) {
      // Whoever was woken and left in the same moment hands its slot on.
      if (!this.#waiting.delete(wake)) this.#give();
      throw thrown;
    }
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}

const nothing = (): void => undefined;
