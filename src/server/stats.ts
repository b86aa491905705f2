/** What a server has done since its start, and what it holds now. */
export interface ServerStats {
  /** Requests that came, refused ones included. */
  readonly requests: number;
  readonly logins: number;
  readonly itemsSet: number;
  /** Items handed to readers; one for each reader that got it. */
  readonly itemsDelivered: number;
  /** Items that full rings let go of before their time. */
  readonly itemsOverrun: number;
  /** Sessions that are alive. */
  readonly sessions: number;
  /** Gets that wait or stream. */
  readonly waitingGets: number;
  /** Open sockets. */
  readonly sockets: number;
}

/** A server that was not started yet. */
export const NO_STATS: ServerStats = {
  requests: 0,
  logins: 0,
  itemsSet: 0,
  itemsDelivered: 0,
  itemsOverrun: 0,
  sessions: 0,
  waitingGets: 0,
  sockets: 0,
};

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
