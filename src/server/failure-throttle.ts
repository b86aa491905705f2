import type { Clock } from "../primitives/clock.js";
import { RateLimiter } from "../primitives/rate-limiter.js";
import { networkOf } from "./address.js";

const WINDOW_MS = 60_000;

/** Addresses that are remembered at most; a stranger with more addresses makes it forget its own oldest. */
const ADDRESSES_MAX = 10_000;

/** Slows down an address that fails again and again. Of IPv6, that is a network: one client has as many addresses. */
export class FailureThrottle {
  readonly #perMinuteMax: number;
  readonly #clock: Clock;
  /** The one that failed last stands last. */
  readonly #byNetwork = new Map<string, RateLimiter>();

  constructor(perMinuteMax: number, clock: Clock) {
    this.#perMinuteMax = perMinuteMax;
    this.#clock = clock;
  }

  /** Counts one failure. @returns 0, or the ms to wait when the address has had its share; then nothing is counted */
  count(address: string): number {
    const network = networkOf(address);
    const known = this.#byNetwork.get(network);
    if (known !== undefined) this.#byNetwork.delete(network);
    else this.#makeRoom();
    const limiter = known ?? new RateLimiter(this.#perMinuteMax, WINDOW_MS, this.#clock);
    this.#byNetwork.set(network, limiter);
    return limiter.tryTake();
  }

  /** Whether the next failure of the address is turned away. */
  isSpent(address: string): boolean {
    return (this.#byNetwork.get(networkOf(address))?.waitMs() ?? 0) > 0;
  }

  /** One at a time: to look through all of them would cost more than what it is against. */
  #makeRoom(): void {
    if (this.#byNetwork.size < ADDRESSES_MAX) return;
    const [oldest] = this.#byNetwork.keys();
    if (oldest !== undefined) this.#byNetwork.delete(oldest);
  }
}
