/** What becomes of a batch whose request failed. Pure. */

import { XrtcError } from "../errors.js";
import type { DeliveryLevel } from "./policy.js";

export interface RetryLimits {
  /** Requests that may go out for one batch. */
  readonly attemptsMax: number;
}

export interface BatchHistory {
  /** Requests that went out for the batch, this one included; one that was never written does not count. */
  readonly attempts: number;
  /** Milliseconds until the first of its writes has lived its time. */
  readonly timeLeftMs: number;
  readonly parcels: number;
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
  const { attempts, timeLeftMs, parcels, wasUnknown, level } = history;
  if (failure.code === "XRTC_ITEM_REFUSED" && parcels > 1) return { kind: "split" };
  if (failure.code === "XRTC_CLOSED" || failure.code === "XRTC_ABORTED") {
    const outcome = wasUnknown ? "unknown" : (failure.outcome ?? "unknown");
    return { kind: "fail", error: failure.with({ attempts, outcome }) };
  }
  const spent = attempts >= limits.attemptsMax || timeLeftMs <= 0;
  const mayRepeat = level === "atLeastOnce" || failure.outcome === "fail";
  if (failure.retryable && mayRepeat && !spent) return { kind: "retry" };
  if (failure.outcome !== "unknown" && !wasUnknown) {
    return { kind: "fail", error: failure.with({ attempts }) };
  }
  const message = `Not confirmed after ${attempts} attempts: ${failure.message}`;
  return {
    kind: "fail",
    error: new XrtcError("XRTC_NOT_CONFIRMED", message, {
      outcome: "unknown",
      attempts,
      cause: failure,
    }),
  };
}
