import type { Clock } from "./clock.js";
import { RingBuffer } from "./ring-buffer.js";

/**
 * Lets at most `countMax` pass in any window of `windowMs`, wherever that window begins. (A counter that starts anew
 * every second would let twice as many pass around the turn of a second.)
 */
export class RateLimiter {
  readonly #windowMs: number;
  readonly #clock: Pick<Clock, "now">;
  /** When each of the last `countMax` passed. */
  readonly #passed: RingBuffer<number>;

  /**
   * @param countMax - how many may pass in a window, 1 or more
   * @param windowMs - length of the window in ms
   */
  constructor(countMax: number, windowMs: number, clock: Pick<Clock, "now">) {
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#passed = new RingBuffer(countMax);
  }

  /** Milliseconds until one more may pass; 0 when it may pass now. */
  waitMs(): number {
    return this.#waitMs(this.#clock.now());
  }

  /** Lets one pass if it may. @returns 0 when it passed, else the milliseconds until one may; then nothing is counted */
  tryTake(): number {
    const now = this.#clock.now();
    const wait = this.#waitMs(now);
    if (wait === 0) this.#passed.push(now);
    return wait;
  }

  #waitMs(now: number): number {
    const passed = this.#passed;
    while (passed.length > 0 && passed.at(0) <= now - this.#windowMs) passed.shift();
    return passed.length < passed.capacity ? 0 : passed.at(0) + this.#windowMs - now;
  }
}
