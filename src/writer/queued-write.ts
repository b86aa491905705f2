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

/** A write and whoever waits for it. */
export interface QueuedWrite extends Write {
  resolve: (result: SetResult) => void;
  reject: (error: Error) => void;
}
