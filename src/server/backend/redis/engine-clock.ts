import type { Clock } from "../../../primitives/clock.js";

/**
 * Redis' clock beside that of this process. Each answer that bears Redis' time shows how far they are apart; what the
 * answer's way took makes items seem younger, never older, so that none is left out before its time.
 */
export class EngineClock {
  readonly #clock: Pick<Clock, "now">;
  #ahead = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** An answer came that was made at this time of Redis, in ms. */
  observe(redisMs: number): void {
    this.#ahead = redisMs - this.#clock.now();
  }

  /** The monotonic time of this process that a time of Redis was, or will be. */
  local(redisMs: number): number {
    return redisMs - this.#ahead;
  }
}
