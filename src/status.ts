import type { XrtcError } from "./errors.js";

/**
 * How a client stands with the service.
 *
 * `idle`: nothing was asked of it yet, or its session rests. `connecting`: it logs in. `connected`: the last request
 * was answered. `waiting`: something failed that may pass; the next attempt comes by itself. `refused`: somebody has
 * to change something (key, URL); it still tries again now and then. `closed`: for good.
 */
export type ClientStatus =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | {
      readonly kind: "waiting";
      readonly cause: XrtcError;
      /** Failures in a row. */
      readonly failures: number;
      /** Milliseconds from the report of this status to the next attempt. */
      readonly retryInMs: number;
    }
  | { readonly kind: "refused"; readonly cause: XrtcError; readonly retryInMs: number }
  | { readonly kind: "closed" };

/** Whether two statuses would look the same to a user: a badge is set once for each state, not for each attempt. */
export function sameStatus(a: ClientStatus, b: ClientStatus): boolean {
  if (a.kind !== b.kind) return false;
  if ("cause" in a && "cause" in b) {
    return a.cause.code === b.cause.code && a.retryInMs === b.retryInMs;
  }
  return true;
}
