import type { Clock } from "../primitives/clock.js";
import { RateLimiter } from "../primitives/rate-limiter.js";

const WINDOW_MS = 60_000;

/** Addresses that are remembered at most; a stranger with more addresses makes it forget its own oldest. */
const ADDRESSES_MAX = 10_000;

/** Slows down an address that fails again and again. */
export class FailureThrottle {
  readonly #perMinuteMax: number;
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, RateLimiter>();

  constructor(perMinuteMax: number, clock: Clock) {
    this.#perMinuteMax = perMinuteMax;
    this.#clock = clock;
  }

  /** Counts one failure. @returns 0, or the ms to wait when the address has had its share; then nothing is counted */
  count(address: string): number {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known.tryTake();
    this.#makeRoom();
    const limiter = new RateLimiter(this.#perMinuteMax, WINDOW_MS, this.#clock);
    this.#byAddress.set(address, limiter);
    return limiter.tryTake();
  }

  #makeRoom(): void {
    if (this.#byAddress.size < ADDRESSES_MAX) return;
    for (const [address, limiter] of this.#byAddress) {
      if (limiter.isIdle) this.#byAddress.delete(address);
    }
    for (const address of this.#byAddress.keys()) {
      if (this.#byAddress.size < ADDRESSES_MAX) return;
      this.#byAddress.delete(address);
    }
  }
}
