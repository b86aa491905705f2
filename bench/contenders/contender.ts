/** Something that carries items from a sender to a receiver, both in this process, over a server in another. */
export interface Contender {
  /** Items that are sent and not yet confirmed in a rate run; more wait for an answer. */
  readonly unconfirmedMax: number;
  /** Items that are sent and not yet received in a rate run: what its server keeps for a reader. */
  readonly unreceivedMax: number;
  /** Resolves when what is sent from now on arrives at `onItem`. */
  open(onItem: (payload: string) => void): Promise<void>;
  /** Resolves when the item is acknowledged. */
  send(payload: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Where a contender finds its server: the two hops may lead through a relay each. */
export interface Address {
  readonly host: string;
  /** Straight to the server, for what is done once. */
  readonly port: number;
  /** The way of what is sent. */
  readonly sendPort: number;
  /** The way of what is received. */
  readonly receivePort: number;
}
