/** Whole answers: one JSON document, or an error in its place. */

import { encodeError } from "../protocol/codec.js";
import type { ServerReply } from "./exchange.js";
import type { WireError } from "./wire-error.js";

/** Sends one JSON document as the whole answer. */
export function sendJson(
  reply: ServerReply,
  text: string,
  status = 200,
  headers?: Readonly<Record<string, string | readonly string[]>>,
): void {
  const own = jsonHeaders(Buffer.byteLength(text));
  reply.head(status, headers === undefined ? own : { ...own, ...headers });
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

/** What an error says in headers. */
export const errorHeaders = (error: WireError): Record<string, string> => ({
  ...(error.retryAfterMs === undefined
    ? {}
    : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }),
  ...(error.status === 405 ? { allow: "POST" } : {}),
});

export function sendError(reply: ServerReply, error: WireError): void {
  sendJson(reply, encodeError(error.service), error.status, errorHeaders(error));
}
