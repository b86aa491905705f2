/** How long a service has known an idempotency key. Pure. */

import type { Clock } from "../primitives/clock.js";
import { IDEMPOTENCY_MS } from "../protocol/limits.js";

/** A moment by both clocks: the monotonic one may rest while a machine sleeps, and the other one may be set. */
export interface Moment {
  readonly now: number;
  readonly wallNow: number;
}

/** Milliseconds by which the service's clock may be ahead of ours in the time that a key is honoured. */
const MARGIN_MS = 1_000;

/** The present moment. */
export const momentOf = (clock: Clock): Moment => ({
  now: clock.now(),
  wallNow: clock.wallNow(),
});

/** Whether a service that saw a key first at that moment may have forgotten it. */
export const isForgotten = (since: Moment, clock: Clock): boolean =>
  Math.max(clock.now() - since.now, clock.wallNow() - since.wallNow) >= IDEMPOTENCY_MS - MARGIN_MS;
