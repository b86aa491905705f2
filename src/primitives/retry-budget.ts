/** Retries that may be under way beyond what successes earn: enough for a short outage of everything at once. */
const TOKENS_MAX = 20;
/** What time and each success give back. */
const TOKENS_PER_MS = 0.2 / 1_000;
const TOKENS_PER_SUCCESS = 0.1;

/**
 * Bounds all retries of a client together. Each costs a token; successes and time give them back. Backoff paces each
 * path that repeats; this bounds their sum.
 */
export class RetryBudget {
  #tokens = TOKENS_MAX;
  #at = 0;

  /** @returns how many ms to wait before the retry may go out; it is counted either way */
  take(now: number): number {
    this.#refill(now);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / TOKENS_PER_MS;
  }

  succeed(now: number): void {
    this.#refill(now);
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + TOKENS_PER_SUCCESS);
  }

  #refill(now: number): void {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + Math.max(0, now - this.#at) * TOKENS_PER_MS);
    this.#at = now;
  }
}
