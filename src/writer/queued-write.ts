/** A write and whoever waits for it. */

import type { Write } from "./write-queue.js";

/** What became of a set that the service has confirmed. */
export interface SetResult {
  /** UNIX ms of the server's clock at which the items were stored. */
  readonly serverTimestamp: number;
  /** Requests that it took. */
  readonly attempts: number;
  /** Whether an earlier attempt may have stored the items already. */
  readonly duplicatePossible: boolean;
}

export interface QueuedWrite extends Write {
  resolve: (result: SetResult) => void;
  reject: (error: Error) => void;
}

/** Tells whoever waits that the write was stored, unless it has been answered. */
export function confirm(write: QueuedWrite, result: SetResult): void {
  if (write.settled) return;
  write.settled = true;
  write.resolve(result);
}

/** Tells whoever waits why the write has failed, unless it has been answered. */
export function refuse(write: QueuedWrite, error: Error): void {
  if (write.settled) return;
  write.settled = true;
  write.reject(error);
}
