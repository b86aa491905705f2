import { Client } from "undici";

/** Requests that may be on their way at a time. */
const PIPELINED_MAX = 64;

/** What is lost with its connection. */
export interface Losable {
  /** The connection is gone. */
  lost(error: Error): void;
}

/** One connection to an origin, on which requests follow each other without waiting for answers. */
export class Pipeline {
  readonly client: Client;
  /** Requests without an end. */
  readonly open = new Set<Losable>();

  constructor(origin: string, options: Client.Options) {
    this.client = new Client(origin, { ...options, pipelining: PIPELINED_MAX });
    // Left to itself, undici would send all but the first again: sets would be applied twice.
    this.client.on("disconnect", (_origin, _targets, error) => {
      for (const request of this.open) request.lost(error);
    });
  }
}
