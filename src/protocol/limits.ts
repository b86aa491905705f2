import { strict as assert } from "node:assert";

/**
 * The bounds of one XRTC service. The hosted ones are documented by the service except where a comment says otherwise;
 * a kilobyte there is taken as 1,024 bytes.
 */
export interface Limits {
  /** Bytes of one serialised request body. */
  readonly requestBytesMax: number;
  /** Bytes of one line of an answer, its newline included. */
  readonly lineBytesMax: number;
  /** Items in one line of an answer. The hosted count is unpublished. */
  readonly lineItemsMax: number;
  /** Items in one set request. */
  readonly requestItemsMax: number;
  /** Items that a portal's ring holds. The hosted count is unpublished. */
  readonly ringItemsMax: number;
  /** Portals of one account. */
  readonly portalsMax: number;
  /** Milliseconds after which an item is gone. */
  readonly itemAgeMsMax: number;
  /** Milliseconds that a `watch` or `stream` stays open. */
  readonly getTimeoutMs: number;
  /** Milliseconds without a request after which a session is gone. */
  readonly sessionIdleMsMax: number;
  /** Milliseconds that must lie between two logins with one key. */
  readonly loginIntervalMsMin: number;
  /** Requests with one key in any second. */
  readonly requestsPerSecondMax: number;
  /** Requests of one account in a calendar month, UTC. */
  readonly requestsPerMonthMax: number;
}

/** The names of the two sets of limits. */
export type LimitsPreset = "hosted" | "local";

/** What the hosted service documents, and generous limits for a server of your own. */
export const LIMITS: Readonly<Record<LimitsPreset, Limits>> = {
  hosted: {
    requestBytesMax: 1_024,
    lineBytesMax: 1_024,
    lineItemsMax: 100,
    requestItemsMax: 100,
    ringItemsMax: 256,
    portalsMax: 10,
    itemAgeMsMax: 3_600_000,
    getTimeoutMs: 5_000,
    sessionIdleMsMax: 60_000,
    loginIntervalMsMin: 5_000,
    requestsPerSecondMax: 20,
    requestsPerMonthMax: 1_000_000,
  },
  local: {
    requestBytesMax: 1_048_576,
    // The service's Python SDK skips a longer line.
    lineBytesMax: 65_536,
    lineItemsMax: 1_000,
    requestItemsMax: 10_000,
    ringItemsMax: 4_096,
    portalsMax: 1_000,
    itemAgeMsMax: 3_600_000,
    getTimeoutMs: 5_000,
    sessionIdleMsMax: 60_000,
    loginIntervalMsMin: 5_000,
    // Above what single items need: at 1,000 a client that sets 1,000 items a second waits for its own limiter.
    requestsPerSecondMax: 10_000,
    requestsPerMonthMax: Number.MAX_SAFE_INTEGER,
  },
};

export const PORTAL_ID_LENGTH_MAX = 32;
/** Characters of an API key. */
export const API_KEY_LENGTH = 32;

/** Bytes that one line of an answer may have before the client gives the answer up, whatever the server allows itself. */
export const RECEIVED_LINE_BYTES_MAX = 1_048_576;

/** Milliseconds for which a server honours an `Idempotency-Key`, from the first set that bears it. */
export const IDEMPOTENCY_MS = 120_000;

/** Milliseconds after which a set that is not confirmed fails, unless another time is asked for. */
export const SET_LIFE_MS = 60_000;

/** Depth of nesting that a received or sent JSON document may have. */
export const JSON_DEPTH_MAX = 8;

for (const limits of Object.values(LIMITS)) {
  // A reader that streams without a pause keeps its session, whatever else it does.
  assert(limits.getTimeoutMs < limits.sessionIdleMsMax);
  assert(limits.lineBytesMax <= RECEIVED_LINE_BYTES_MAX);
}

// Whatever is sent again in that time is known for what it is.
assert(SET_LIFE_MS < IDEMPOTENCY_MS);
