/** When a request may go out: the service's rate, what it asked for, and the month's budget, for all requests alike. */

import { XrtcError } from "../errors.js";
import { Broadcast, type Observable } from "../primitives/broadcast.js";
import { sleep, type Clock } from "../primitives/clock.js";
import { RateLimiter } from "../primitives/rate-limiter.js";
import { RetryBudget } from "../primitives/retry-budget.js";
import type { Signal } from "../primitives/signal.js";
import type { Limits } from "../protocol/limits.js";
import { MonthBudget, type CounterStore, type MonthUse } from "./month-budget.js";

/** Milliseconds that the window of the request rate is longer than a second, for what the network squeezes together. */
const RATE_MARGIN_MS = 50;

/** What the client has used of what the service allows. */
export interface Usage extends MonthUse {
  /** Requests that may go out in any second. */
  readonly perSecondMax: number;
}

export class Admission {
  readonly #clock: Clock;
  readonly #rate: RateLimiter;
  readonly #month: MonthBudget;
  readonly #retries = new RetryBudget();
  readonly #usage: Broadcast<Usage>;
  readonly #perSecondMax: number;
  #holdUntil = 0;

  constructor(limits: Limits, clock: Clock, store: CounterStore | undefined) {
    const { requestsPerSecondMax, requestsPerMonthMax } = limits;
    this.#clock = clock;
    this.#perSecondMax = requestsPerSecondMax;
    this.#rate = new RateLimiter(requestsPerSecondMax, 1_000 + RATE_MARGIN_MS, clock);
    this.#month = new MonthBudget(requestsPerMonthMax, clock, store);
    this.#usage = new Broadcast(this.#current());
  }

  /** The use of the month; it tells when a level is reached, and is up to date whenever it is read. */
  get usage(): Observable<Usage> {
    const usage = this.#usage;
    const current = (): Usage => this.#current();
    return {
      get value() {
        return current();
      },
      subscribe: (listener) => usage.subscribe(listener),
    };
  }

  /**
   * @returns 0 when the request may go out, and then it is counted; else how many ms to wait before asking again
   * @throws XrtcError `XRTC_BUDGET_SPENT`
   */
  tryEnter(): number {
    const held = this.#holdUntil - this.#clock.now();
    if (held > 0) return held;
    const stretched = this.#month.waitMs();
    if (stretched === undefined) throw this.#spent();
    const wait = stretched > 0 ? stretched : this.#rate.tryTake();
    if (wait > 0) return wait;
    this.#month.take();
    this.#tell();
    return 0;
  }

  /** Waits until the request may go out. @throws the signal's reason; XrtcError `XRTC_BUDGET_SPENT` */
  async enter(signal: Signal): Promise<void> {
    for (let wait = this.tryEnter(); wait > 0; wait = this.tryEnter()) {
      await sleep(this.#clock, wait, signal);
    }
  }

  /** The service asked to wait. */
  hold(ms: number): void {
    this.#holdUntil = Math.max(this.#holdUntil, this.#clock.now() + ms);
  }

  succeeded(): void {
    this.#retries.succeed(this.#clock.now());
  }

  /** @returns how many ms a retry has to wait because of all the others */
  retry(): number {
    return this.#retries.take(this.#clock.now());
  }

  close(): void {
    this.#month.save();
  }

  #current(): Usage {
    return { ...this.#month.use, perSecondMax: this.#perSecondMax };
  }

  #tell(): void {
    if (this.#usage.value.level !== this.#month.level) this.#usage.set(this.#current());
  }

  #spent(): XrtcError {
    this.#tell();
    const { used, max, month } = this.#month.use;
    const message = `${used} of ${max} requests of ${month} are used.`;
    return new XrtcError("XRTC_BUDGET_SPENT", message, { outcome: "fail" });
  }
}
