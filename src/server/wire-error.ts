/** What the server refuses with: an error in the wire's shape and its HTTP status. */

import { encodeError } from "../protocol/codec.js";
import { ERROR_CODES, ERROR_GROUPS, type ServiceError } from "../protocol/error-codes.js";
import type { ServerReply } from "./exchange.js";

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

/** Sends one JSON document as the whole answer. */
export function sendJson(
  reply: ServerReply,
  text: string,
  status = 200,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  const length = Buffer.byteLength(text);
  reply.head(status, { ...jsonHeaders(length), ...headers });
  reply.end(text);
}

/** The same with a document that is there in bytes. */
export function sendBytes(reply: ServerReply, bytes: Buffer): void {
  reply.head(200, jsonHeaders(bytes.length));
  reply.end(bytes);
}

const jsonHeaders = (length: number): Record<string, string> => ({
  "content-type": "application/json; charset=utf-8",
  "content-length": String(length),
  "cache-control": "no-store",
});

export const errorHeaders = (error: WireError): Record<string, string> => ({
  ...(error.retryAfterMs === undefined
    ? {}
    : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }),
  ...(error.status === 405 ? { allow: "POST" } : {}),
});

export function sendError(reply: ServerReply, error: WireError): void {
  sendJson(reply, encodeError(error.service), error.status, errorHeaders(error));
}
