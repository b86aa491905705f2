/** What a server has done since its start, and what it holds now. */
export interface ServerStats {
  /** Requests that came, refused ones included. */
  readonly requests: number;
  readonly logins: number;
  readonly itemsSet: number;
  /** Items handed to readers; one for each reader that got it. */
  readonly itemsDelivered: number;
  /** Sessions that are alive. */
  readonly sessions: number;
  /** Gets that wait or stream. */
  readonly waitingGets: number;
  /** Open sockets. */
  readonly sockets: number;
}

/** The counters behind it. */
export class Counters {
  requests = 0;
  logins = 0;
  itemsSet = 0;
  itemsDelivered = 0;
  waitingGets = 0;
  /** Readers opened so far. */
  opened = 0;
}
