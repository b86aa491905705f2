import { XrtcError } from "../errors.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import { ERROR_GROUPS, isAmbiguous } from "../protocol/error-codes.js";

/** Milliseconds beyond the service's login interval: two clocks, and the way between them, are not exact. */
const LOGIN_MARGIN_MS = 250;
/** Milliseconds between attempts while it takes a person to change something. */
const REFUSED_RETRY_MS = 900_000;
/** Refusals for frequency in a row after which another client is taken to share the key, and the pace then, in ms. */
const CONTENDED_COUNT = 6;
const CONTENDED_RETRY_MS = 30_000;

/** How many times farther apart logins are that are of no use, one after the other: at most 12 requests in any minute. */
const USELESS_FACTOR = 2.4;

export interface LoginFailure {
  readonly cause: XrtcError;
  /** No attempt before this moment (monotonic ms). */
  readonly nextAt: number;
  /** What becomes of those who wait for the login. */
  readonly waiters: "give up" | "tell" | "wait";
}

/** When the next login may follow, decided from how the last ones went. */
export class LoginPace {
  readonly #intervalMs: number;
  readonly #random: Random;
  readonly #streak: FailureStreak;
  #throttledInRow = 0;
  #uselessInRow = 0;

  /** @param loginIntervalMsMin - what the service demands between two logins, in ms */
  constructor(loginIntervalMsMin: number, random: Random) {
    this.#intervalMs = loginIntervalMsMin + LOGIN_MARGIN_MS;
    this.#random = random;
    this.#streak = new FailureStreak(random);
  }

  get failures(): number {
    return this.#streak.failures;
  }

  /** @returns when the next attempt may start */
  succeeded(startedAt: number): number {
    this.#throttledInRow = 0;
    return startedAt + this.#intervalMs;
  }

  /** A request under the login was answered. */
  proven(now: number): void {
    this.#uselessInRow = 0;
    this.#streak.succeed(now);
  }

  /** The service denied a login that had been of no use yet. @returns when the next attempt may start */
  useless(now: number): number {
    this.#uselessInRow += 1;
    // One may have met another client's login; where the next is denied, too, each costs two requests for nothing.
    const spacing = this.#intervalMs * (this.#uselessInRow > 1 ? USELESS_FACTOR : 1);
    return now + Math.max(spacing, this.#streak.fail(now));
  }

  failed(cause: XrtcError, startedAt: number, now: number): LoginFailure {
    const backoff = Math.max(this.#streak.fail(now), cause.retryAfterMs ?? 0);
    // Nobody is let in with a refusal of the login's own kind, whatever its code.
    const isFinal =
      !cause.retryable || (isAmbiguous(cause) && cause.serviceGroup !== ERROR_GROUPS.application);
    if (isFinal) return { cause, nextAt: now + REFUSED_RETRY_MS, waiters: "give up" };
    this.#throttledInRow = cause.code === "XRTC_LOGIN_TOO_FREQUENT" ? this.#throttledInRow + 1 : 0;
    if (this.#throttledInRow >= CONTENDED_COUNT) {
      const nextAt = now + CONTENDED_RETRY_MS * (0.5 + this.#random.next());
      return { cause: contended(cause), nextAt, waiters: "tell" };
    }
    // What provably never reached the service needs no spacing, only a pace.
    const spacedAt = cause.code === "XRTC_UNREACHABLE" ? 0 : startedAt + this.#intervalMs;
    // A refusal for frequency alone is no news: the login will do after the interval.
    const waiters = this.#throttledInRow > 0 ? "wait" : "tell";
    return { cause, nextAt: Math.max(now + backoff, spacedAt), waiters };
  }
}

const contended = (cause: XrtcError): XrtcError =>
  new XrtcError(cause.code, "Another client uses this key: its logins refuse ours.", {
    retryable: true,
    cause,
  });
