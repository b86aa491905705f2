/**
 * The one error family. The `code` is the contract; the message says what happened, the remedy what to do about it.
 * Errors are built from an allow-list: no header, no body, no cookie, no key ever gets into one.
 */

/** What to do about each code. The README's table of errors is compared with this one by a test. */
export const REMEDIES = {
  XRTC_OPTIONS: "Correct the option that the message names.",
  XRTC_CREDENTIALS_MISSING:
    "Give account id and API key: as options, as ACCOUNT_ID and API_KEY in the environment, or in a dotenv file.",
  XRTC_CREDENTIALS_REFUSED:
    "Check account id and API key; a key that was not used for 3 months is disabled, and an 11th key replaces the oldest.",
  XRTC_LOGIN_TOO_FREQUENT:
    "Another client logs in with this key: give each installation a key of its own.",
  XRTC_SESSION_DENIED:
    "Give each installation a key of its own, and keep its address the same during a session.",
  XRTC_PORTAL_INVALID: "Use 1 to 32 ASCII letters and digits as the portal id.",
  XRTC_PORTAL_MISSING: "Name a portal: in the node, in msg.portalid or in msg.topic.",
  XRTC_PORTAL_BUSY:
    "This portal is already read by this client: use subscribe(), which shares one reader, or wait for the other get to end.",
  XRTC_PAYLOAD_INVALID: "Send a string, a Buffer, or something that JSON can express.",
  XRTC_PAYLOAD_TOO_LARGE:
    "Send less at a time, or choose the limits preset that fits the service you talk to.",
  XRTC_ITEM_REFUSED: "Correct the request that the service refused; it says why in the message.",
  XRTC_ITEM_MALFORMED:
    "Look at what sets items to this portal: one that arrived cannot be read; its neighbours were delivered.",
  XRTC_SERVICE: "Try again later; the message is the service's own.",
  XRTC_THROTTLED: "Send fewer requests: batch items, or spread them over time.",
  XRTC_UNAVAILABLE: "Wait: the service answers that it cannot serve just now.",
  XRTC_UNREACHABLE: "Check the network, the URL and that the service runs.",
  XRTC_CONNECTION_LOST: "Check the network; the client tries again by itself.",
  XRTC_TIMEOUT: "Check the network; the client tries again by itself.",
  XRTC_RESPONSE_INVALID:
    "Check that the URL is that of an XRTC service, and that no proxy or login page answers in its place.",
  XRTC_ENDPOINT: "Check the URL: what answers there is not the XRTC call.",
  XRTC_TLS: "Check the certificate of the service, or name its certificate authority.",
  XRTC_QUEUE_FULL: "Send more slowly, or allow a longer queue.",
  XRTC_SUPERSEDED: "Nothing: the queue keeps only the latest for a portal, as it was asked to.",
  XRTC_BUDGET_SPENT:
    "Wait for the next month (UTC), or raise requestsPerMonthMax if the account allows more.",
  XRTC_REGISTRATION: "Correct what the message names, or start the registration again.",
  XRTC_NOT_CONFIRMED:
    "Decide whether to send again: the item may or may not have been stored, and all attempts are spent.",
  XRTC_ABORTED: "Nothing: the caller gave the call up.",
  XRTC_CLOSED: "Use a client that is still open.",
  XRTC_SERVER_ADDRESS: "Choose a free port and an address of this machine.",
  XRTC_SERVER_INSECURE:
    "Keep the server on 127.0.0.1, or give it TLS, or allow plain HTTP explicitly; and choose an account and key of your own.",
  XRTC_ENGINE_UNAVAILABLE:
    "Start Redis or correct its URL, or install what the message names, or use the memory engine.",
  XRTC_SERVER_MISSING: "Choose an xrtc-server node that exists, is enabled and is deployed.",
} as const;

/** A code of the error family: what programs and Catch nodes compare. */
export type XrtcErrorCode = keyof typeof REMEDIES;

/**
 * What is known about a request that changes something when its call failed: `fail`, provably not applied;
 * `unknown`, it may have been applied.
 */
export type Outcome = "fail" | "unknown";

/** What may be known of an error beyond its code and message. */
export interface XrtcErrorDetails {
  /** Whether the same call may succeed later without anybody changing anything. @defaultValue false */
  readonly retryable?: boolean;
  readonly outcome?: Outcome;
  /** Code and group in the service's own error, where there was one. */
  readonly serviceCode?: number;
  readonly serviceGroup?: number;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** How long the service asked to wait, in ms. */
  readonly retryAfterMs?: number;
  /** How often the call was tried. */
  readonly attempts?: number;
  readonly portalId?: string;
  readonly cause?: unknown;
}

/** Every error that this package throws or reports. */
export class XrtcError extends Error {
  override readonly name = "XrtcError";
  readonly code: XrtcErrorCode;
  readonly retryable: boolean;
  // Declared only: what is not known of an error is no property of it, and is not printed.
  declare readonly outcome?: Outcome;
  declare readonly serviceCode?: number;
  declare readonly serviceGroup?: number;
  declare readonly status?: number;
  declare readonly retryAfterMs?: number;
  declare readonly attempts?: number;
  declare readonly portalId?: string;

  constructor(code: XrtcErrorCode, message: string, details: XrtcErrorDetails = {}) {
    const { cause, retryable = false, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    Object.assign(this, rest);
  }

  /** What to do about it. */
  get remedy(): string {
    return REMEDIES[this.code];
  }

  /** The same error with more known about it. */
  with(details: XrtcErrorDetails): XrtcError {
    const { retryable, cause, outcome, serviceCode, serviceGroup, status } = this;
    const { retryAfterMs, attempts, portalId } = this;
    const known = { retryable, cause, outcome, serviceCode, serviceGroup, status };
    const all = { ...known, retryAfterMs, attempts, portalId, ...details };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    const copy = new XrtcError(this.code, this.message, Object.fromEntries(given));
    if (this.stack !== undefined) copy.stack = this.stack;
    return copy;
  }
}

/** Whether something thrown is an {@link XrtcError}, and one of that code if a code is given. */
export const isXrtcError = (error: unknown, code?: XrtcErrorCode): error is XrtcError =>
  error instanceof XrtcError && (code === undefined || error.code === code);

/** Any thrown value as an Error, so that a cause is never lost and never a bare string. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));

// C0 and C1 controls, and the marks that turn the direction of text.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Text from a remote side, made fit for a log or a badge: no control characters, and cut. */
export function printable(text: string, lengthMax = 200): string {
  const clean = text.replace(UNPRINTABLE, " ").trim();
  return clean.length <= lengthMax ? clean : `${clean.slice(0, lengthMax - 1)}…`;
}
