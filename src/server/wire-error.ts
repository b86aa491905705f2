/** What the server refuses with: an error in the wire's shape and its HTTP status. */

import { ERROR_CODES, ERROR_GROUPS, type ServiceError } from "../protocol/error-codes.js";

export class WireError extends Error {
  override readonly name = "WireError";

  constructor(
    readonly status: number,
    readonly service: ServiceError,
    /** How long the client should wait before it tries again, in ms. */
    readonly retryAfterMs?: number,
  ) {
    super(service.message);
  }
}

type Group = keyof typeof ERROR_GROUPS;
type Code = keyof typeof ERROR_CODES;

/** A documented error. HTTP 400, as the service answers all of them but a denied session. */
export const refusal = (group: Group, code: Code, message: string): WireError =>
  new WireError(400, { group: ERROR_GROUPS[group], code: ERROR_CODES[code], message });

export const invalidArguments = (message: string): WireError =>
  refusal("application", "INVALID_ARGUMENTS", message);

export const sessionDenied = (): WireError =>
  new WireError(401, {
    group: ERROR_GROUPS.login,
    code: ERROR_CODES.SESSION_INVALIDATED,
    message: "the session is unknown, has ended, or belongs to another address: log in",
  });

/** An error that the documentation has no code for: the system's group, and the HTTP status as its code. */
export const systemError = (status: number, message: string, retryAfterMs?: number): WireError =>
  new WireError(status, { group: ERROR_GROUPS.system, code: status, message }, retryAfterMs);

export const tooManyRequests = (message: string, retryAfterMs: number): WireError =>
  systemError(429, message, retryAfterMs);
