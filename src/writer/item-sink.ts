/** Where batches go. */

import type { XrtcError } from "../errors.js";
import type { Signal } from "../primitives/signal.js";
import type { OrderedPlace } from "./lane.js";

/** Takes a batch at a time, or several. */
export interface ItemSink {
  /** Batches that may be in flight at a time, each applied after the one before it; 1 where that is not offered. */
  readonly windowMax: number;
  /**
   * @throws XrtcError with its `outcome`
   */
  set(encodedItems: readonly string[], call: SinkCall): Promise<SinkAnswer>;
  /**
   * Tells that a write failed and when it is tried again.
   *
   * @returns in how many ms it may be, when that is later
   */
  troubled(cause: XrtcError, failures: number, retryInMs: number): number;
}

/** What goes with one attempt. */
export interface SinkCall {
  readonly signal: Signal;
  /** The same on every attempt of a batch. */
  readonly idempotencyKey: string;
  /** The request's place among those in flight, under a login; called only where places count. */
  readonly place: (generation: number) => OrderedPlace;
  /** Whether no batch before it is without an answer: where places do not count, only that one may go out. */
  readonly isFirst: () => boolean;
  /** Called when the request goes out. */
  readonly sent: () => void;
  /** Bounds what is left of the call: the signal is aborted after so many ms at the latest. */
  readonly within: (ms: number, reason: () => Error) => void;
}

/** That a batch was stored. */
export interface SinkAnswer {
  /** UNIX ms of the server's clock. */
  readonly serverTimestamp: number;
  /** Whether the service recognises a request that it has already applied. */
  readonly idempotent: boolean;
}
