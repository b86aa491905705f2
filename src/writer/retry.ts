/** What becomes of a batch whose request failed. Pure. */

import { isXrtcError, XrtcError } from "../errors.js";
import { isAmbiguous } from "../protocol/error-codes.js";
import type { DeliveryLevel } from "./policy.js";

export interface RetryLimits {
  /** Requests that may go out for one batch. */
  readonly attemptsMax: number;
}

export interface BatchHistory {
  /** Requests that went out for its writes, this one included; one that was never written does not count. */
  readonly attempts: number;
  /** Those of them that count towards the bound. */
  readonly counted: number;
  /** Milliseconds until the first of its writes has lived its time. */
  readonly timeLeftMs: number;
  readonly parcels: number;
  /** Whether the last attempt was refused without the service's own words, or with a code that nobody knows. */
  readonly wasDoubtful: boolean;
  /** Whether an attempt before may have been applied. */
  readonly wasUnknown: boolean;
  readonly level: DeliveryLevel;
}

export type Verdict =
  | { readonly kind: "retry" }
  /** One of its parcels is at fault: each half is tried by itself. */
  | { readonly kind: "split" }
  | { readonly kind: "fail"; readonly error: XrtcError };

export function verdictOf(failure: XrtcError, history: BatchHistory, limits: RetryLimits): Verdict {
  const { attempts, counted, timeLeftMs, parcels, wasUnknown, level } = history;
  const spent = counted >= limits.attemptsMax || timeLeftMs <= 0;
  if (failure.status === CONFLICT && failure.serviceCode !== undefined)
    return { kind: "fail", error: notConfirmed(failure, attempts) };
  if (failure.code === "XRTC_ITEM_REFUSED") {
    // Somebody else's answer, or its words were cut off: the content may be faultless.
    const doubtful = isDoubtful(failure);
    if (doubtful && !history.wasDoubtful && !spent) return { kind: "retry" };
    // When time is over before it could be asked again, halves would know less of it than their whole.
    if (parcels > 1 && !(doubtful && timeLeftMs <= 0)) return { kind: "split" };
  }
  if (failure.code === "XRTC_CLOSED" || failure.code === "XRTC_ABORTED") {
    const outcome = wasUnknown ? "unknown" : (failure.outcome ?? "unknown");
    return { kind: "fail", error: failure.with({ attempts, outcome }) };
  }
  // Once more, in case it passes; it is no use to try it as often as what is known to pass.
  if (isAmbiguous(failure) && history.wasDoubtful && !wasUnknown) {
    return { kind: "fail", error: failure.with({ attempts }) };
  }
  const mayRepeat = level === "atLeastOnce" || failure.outcome === "fail";
  if (failure.retryable && mayRepeat && !spent) return { kind: "retry" };
  if (failure.outcome !== "unknown" && !wasUnknown) {
    return { kind: "fail", error: failure.with({ attempts }) };
  }
  return { kind: "fail", error: notConfirmed(failure, attempts) };
}

/**
 * A set of that number was stored, and the service has forgotten which: to send it in another way would store it twice
 * if it was this one.
 */
const CONFLICT = 409;

const notConfirmed = (failure: XrtcError, attempts: number): XrtcError =>
  new XrtcError(
    "XRTC_NOT_CONFIRMED",
    `Not confirmed after ${attempts} attempts: ${failure.message}`,
    { outcome: "unknown", attempts, cause: failure },
  );

/** A refusal that does not say what is wrong with the content. Nothing was stored, whoever it came from. */
export const isDoubtful = (failure: XrtcError): boolean =>
  isAmbiguous(failure) ||
  (failure.code === "XRTC_ITEM_REFUSED" &&
    failure.status === 400 &&
    failure.serviceCode === undefined);

/** What was given up before its request went out was provably not applied. */
export function asFailure(thrown: unknown, sent: boolean): XrtcError {
  if (!isXrtcError(thrown)) {
    const outcome = sent ? "unknown" : "fail";
    return new XrtcError("XRTC_ABORTED", "The set was given up.", { outcome, cause: thrown });
  }
  if (thrown.outcome !== undefined && (sent || thrown.outcome === "fail")) return thrown;
  return thrown.with({ outcome: sent ? "unknown" : "fail" });
}
