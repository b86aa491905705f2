/** What the number fields of xrtc-config may hold, for its dialog as for the runtime: one rule, not two. */

export interface Range {
  readonly min: number;
  readonly max: number;
}

const DAY_MS = 86_400_000;

/** The limits of a service that a configuration may set in place of its preset's; blank for the preset's value. */
export const LIMIT_RANGES = {
  /** Bytes of one request. */
  requestBytesMax: { min: 256, max: 16_777_216 },
  /** Bytes of one line of an answer: more is never read. */
  lineBytesMax: { min: 256, max: 1_048_576 },
  /** Items in one request. */
  requestItemsMax: { min: 1, max: 100_000 },
  requestsPerSecondMax: { min: 1, max: 100_000 },
  /** Milliseconds between two logins with one key. */
  loginIntervalMsMin: { min: 0, max: 3_600_000 },
  /** Milliseconds that the service keeps a `watch` or `stream` open; below `sessionIdleMsMax`. */
  getTimeoutMs: { min: 100, max: DAY_MS },
  /** Milliseconds without a request after which a session is gone. */
  sessionIdleMsMax: { min: 1_100, max: DAY_MS },
} as const satisfies Readonly<Record<string, Range>>;

/** What else a configuration sets in numbers; blank for the client's default, which stands in the comment. */
export const SENDING_RANGES = {
  /** Milliseconds that a set may wait for others to share its request: 0. */
  lingerMs: { min: 0, max: 60_000 },
  /** Items that share a request at most: as many as a request may have. */
  batchItemsMax: { min: 1, max: 100_000 },
  /** Requests that may go out for one set: 6. */
  attemptsMax: { min: 1, max: 100 },
  /** Seconds after which a set that is not confirmed fails, unless its node says otherwise: no limit. */
  retrySecondsMax: { min: 1, max: 3_600 },
  /** The budget: requests in a calendar month (UTC): as the preset has it. */
  monthRequestsMax: { min: 1, max: 1_000_000_000 },
} as const satisfies Readonly<Record<string, Range>>;

export const CONFIG_RANGES = { ...LIMIT_RANGES, ...SENDING_RANGES } as const;

export type LimitName = keyof typeof LIMIT_RANGES;
export type ConfigNumber = keyof typeof CONFIG_RANGES;
