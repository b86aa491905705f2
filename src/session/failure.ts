/** What a failed exchange means: from transport errors, statuses and the service's own errors to one XrtcError. Pure. */

import { printable, XrtcError, type Outcome, type XrtcErrorCode } from "../errors.js";
import { ERROR_CODES, isAmbiguous, type ServiceError } from "../protocol/error-codes.js";
import { TransportError } from "../transport/transport.js";

/** The longest wait in ms that a service may ask for. */
export const RETRY_AFTER_MS_MAX = 60_000;
/** The wait in ms after a refusal with a code that nobody knows. */
export const AMBIGUOUS_WAIT_MS = 1_000;

export interface FailedAnswer {
  readonly status: number;
  /** Wait that the service asked for, bounded, in ms. */
  readonly retryAfterMs: number | undefined;
  /** The service's own error, where the body held one. */
  readonly error: ServiceError | undefined;
}

/** The error of an exchange that brought no answer. What is no transport error (an abort's reason) passes unchanged. */
export function transportFailure(thrown: unknown): unknown {
  if (!(thrown instanceof TransportError)) return thrown;
  const outcome: Outcome = thrown.sent ? "unknown" : "fail";
  const why = printable(thrown.message);
  switch (thrown.failure) {
    case "connect":
      return new XrtcError("XRTC_UNREACHABLE", `The service cannot be reached: ${why}`, {
        retryable: true,
        outcome,
        cause: thrown,
      });
    case "tls":
      return new XrtcError("XRTC_TLS", `The service's certificate was not accepted: ${why}`, {
        outcome,
        cause: thrown,
      });
    case "broken":
      return new XrtcError("XRTC_CONNECTION_LOST", `The connection was lost: ${why}`, {
        retryable: true,
        outcome,
        cause: thrown,
      });
    default:
      return thrown.failure satisfies never;
  }
}

interface Meaning {
  readonly code: XrtcErrorCode;
  readonly retryable: boolean;
  readonly outcome: Outcome;
}

const refused = (code: XrtcErrorCode): Meaning => ({ code, retryable: false, outcome: "fail" });
const passing = (code: XrtcErrorCode): Meaning => ({ code, retryable: true, outcome: "fail" });

/** The error of an answer whose status is not 200. */
export function answerFailure(answer: FailedAnswer): XrtcError {
  const { status, error, retryAfterMs } = answer;
  const meaning = meaningOf(answer);
  const words =
    error === undefined
      ? `The service answered with status ${status}.`
      : `The service answered: ${printable(error.message)} (code ${error.code})`;
  return new XrtcError(meaning.code, words, {
    retryable: meaning.retryable,
    outcome: meaning.outcome,
    status,
    ...(error === undefined ? {} : { serviceCode: error.code, serviceGroup: error.group }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The error that a service wrote into the middle of a stream. */
export const streamFailure = (error: ServiceError): XrtcError =>
  answerFailure({ status: 400, error, retryAfterMs: undefined });

function meaningOf({ status, error, retryAfterMs }: FailedAnswer): Meaning {
  if (status === 401) return passing("XRTC_SESSION_DENIED");
  if (status === 429) return passing("XRTC_THROTTLED");
  if (status === 503 && retryAfterMs !== undefined) {
    return { code: "XRTC_THROTTLED", retryable: true, outcome: "unknown" };
  }
  if (status === 408 || status >= 500) {
    return { code: "XRTC_UNAVAILABLE", retryable: true, outcome: "unknown" };
  }
  if (status === 400 && error !== undefined) return serviceMeaning(error);
  // A redirect is never followed: it would carry the credentials to wherever it points.
  if (status >= 300 && (status < 400 || status === 403 || status === 404)) {
    return refused("XRTC_ENDPOINT");
  }
  if (status >= 400) return refused("XRTC_ITEM_REFUSED");
  return { code: "XRTC_RESPONSE_INVALID", retryable: true, outcome: "unknown" };
}

function serviceMeaning(error: ServiceError): Meaning {
  switch (error.code) {
    case ERROR_CODES.INVALID_CREDENTIALS:
      return refused("XRTC_CREDENTIALS_REFUSED");
    case ERROR_CODES.TOO_FREQUENT_LOGIN:
      return passing("XRTC_LOGIN_TOO_FREQUENT");
    case ERROR_CODES.SESSION_INVALIDATED:
      return passing("XRTC_SESSION_DENIED");
    case ERROR_CODES.INPUT_BINARYJSON_PARSE_FAIL:
    case ERROR_CODES.INVALID_ARGUMENTS:
      return refused("XRTC_ITEM_REFUSED");
    default:
      return passing("XRTC_SERVICE");
  }
}

/** How many ms a request waits at least before it is sent again after this failure. */
export const leastWaitMs = (failure: XrtcError): number =>
  Math.max(failure.retryAfterMs ?? 0, isAmbiguous(failure) ? AMBIGUOUS_WAIT_MS : 0);

/** The same refusal, now that so many have come that it must be the number of requests which is refused. */
export const asThrottled = (refusal: XrtcError): XrtcError => {
  const { status, serviceCode, serviceGroup } = refusal;
  return new XrtcError("XRTC_THROTTLED", refusal.message, {
    retryable: true,
    outcome: "fail",
    ...(status === undefined ? {} : { status }),
    ...(serviceCode === undefined ? {} : { serviceCode }),
    ...(serviceGroup === undefined ? {} : { serviceGroup }),
    retryAfterMs: AMBIGUOUS_WAIT_MS,
    cause: refusal,
  });
};

/**
 * The wait that a `Retry-After` header asks for: seconds or a date, at most a minute.
 *
 * @returns ms, or undefined when the header is absent or makes no sense
 */
export function parseRetryAfter(header: string | undefined, wallNow: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - wallNow;
  if (!Number.isFinite(ms) || ms < 0 || /^[-+]/.test(text)) return undefined;
  return Math.min(ms, RETRY_AFTER_MS_MAX);
}
