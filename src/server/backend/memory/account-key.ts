import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../primitives/clock.js";
import { RateLimiter } from "../../../primitives/rate-limiter.js";
import type { Limits } from "../../../protocol/limits.js";
import { KEYS_PER_ACCOUNT_MAX } from "../key-hashes.js";
import type { IdempotencyKeys } from "./idempotency.js";
import { Positions } from "./positions.js";

/** A key that nobody used for so long does not work any more, in ms: 3 months. */
const UNUSED_MS_MAX = 90 * 24 * 3_600_000;

/** One API key, of which only the hash is known, with what is counted per key. */
export class AccountKey {
  readonly accountId: string;
  readonly requests: RateLimiter;
  /** How far its sessions have read, for a service whose sessions continue one another. */
  readonly positions = new Positions();
  readonly #hash: Buffer;
  readonly #clock: Clock;
  readonly #loginIntervalMsMin: number;
  #lastLoginAtMs = Number.NEGATIVE_INFINITY;
  #lastUsedAtMs: number;

  constructor(
    readonly account: Account,
    hash: Buffer,
    options: { readonly clock: Clock; readonly limits: Limits },
  ) {
    this.accountId = account.accountId;
    this.#hash = hash;
    this.#clock = options.clock;
    this.#loginIntervalMsMin = options.limits.loginIntervalMsMin;
    this.#lastUsedAtMs = options.clock.now();
    this.requests = new RateLimiter(options.limits.requestsPerSecondMax, 1_000, options.clock);
  }

  /** Compares in constant time. */
  isHashedAs(hash: Buffer): boolean {
    return timingSafeEqual(this.#hash, hash);
  }

  get isDisabled(): boolean {
    return this.#clock.now() - this.#lastUsedAtMs > UNUSED_MS_MAX;
  }

  /** Logs in if the last login with this key lies far enough back. @returns whether it does */
  tryLogin(): boolean {
    const now = this.#clock.now();
    if (now - this.#lastLoginAtMs < this.#loginIntervalMsMin) return false;
    this.#lastLoginAtMs = now;
    this.#lastUsedAtMs = now;
    return true;
  }

  /** Notes a use, so that a key whose session lasts for months is not taken for unused. */
  use(): void {
    this.#lastUsedAtMs = this.#clock.now();
  }
}

/** One account: its keys and what is counted for all of them together. */
export class Account {
  readonly keys: AccountKey[] = [];
  /** The month that is counted, from and to, in UNIX ms. */
  #monthFrom = Number.POSITIVE_INFINITY;
  #monthEnd = Number.NEGATIVE_INFINITY;
  #requestsOfMonth = 0;

  constructor(
    readonly accountId: string,
    readonly idempotency: IdempotencyKeys,
    readonly requestsPerMonthMax: number,
  ) {}

  addKey(key: AccountKey): void {
    this.keys.push(key);
    if (this.keys.length > KEYS_PER_ACCOUNT_MAX) this.keys.shift();
  }

  removeKey(key: AccountKey): void {
    const at = this.keys.indexOf(key);
    if (at !== -1) this.keys.splice(at, 1);
  }

  /** Counts one request of the month. @returns 0, or the ms until the next month when this one's are used up */
  countRequest(wallNow: number): number {
    // Asked for each request, and the calendar is dear.
    if (wallNow < this.#monthFrom || wallNow >= this.#monthEnd) this.#turnMonth(wallNow);
    if (this.#requestsOfMonth >= this.requestsPerMonthMax) return this.#monthEnd - wallNow;
    this.#requestsOfMonth += 1;
    return 0;
  }

  #turnMonth(wallNow: number): void {
    const now = new Date(wallNow);
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    this.#monthFrom = Date.UTC(year, month);
    this.#monthEnd = Date.UTC(year, month + 1);
    this.#requestsOfMonth = 0;
  }
}
