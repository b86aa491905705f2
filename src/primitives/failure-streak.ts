import { backoffMs, type BackoffOptions } from "./backoff.js";
import type { Random } from "./random.js";

/** Milliseconds of health after which a failure begins a new streak. */
const LASTING_MS = 10_000;

/**
 * Failures in a row, and the pace that follows from them. One success does not end a streak, only a lasting one does:
 * a service that accepts every second request would otherwise be asked without a pause.
 */
export class FailureStreak {
  readonly #random: Random;
  readonly #options: BackoffOptions;
  #failures = 0;
  #since = 0;
  #healthySince: number | undefined;

  constructor(random: Random, options: BackoffOptions = {}) {
    this.#random = random;
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** @returns how many ms to wait before the next attempt */
  fail(now: number): number {
    const wasLasting = this.#healthySince !== undefined && now - this.#healthySince >= LASTING_MS;
    if (this.#failures === 0 || wasLasting) {
      this.#failures = 0;
      this.#since = now;
    }
    this.#healthySince = undefined;
    this.#failures += 1;
    return backoffMs(this.#failures, now - this.#since, this.#random, this.#options);
  }

  succeed(now: number): void {
    this.#healthySince ??= now;
  }
}
