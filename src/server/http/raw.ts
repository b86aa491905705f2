/** What node:http leaves to us at the edge: the form of a request, and an answer to what is none. */

import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { encodeError } from "../../protocol/codec.js";
import { systemError, type WireError } from "../wire-error.js";

/** Why a request is refused for its form, before its body is read. */
export function refuseForm(request: IncomingMessage, headersMax: number): WireError | undefined {
  if (request.rawHeaders.length > 2 * headersMax) {
    return systemError(431, `a request has at most ${headersMax} headers`);
  }
  // node:http keeps the first of two; a proxy in front may have looked at the other one.
  if (countOf(request.rawHeaders, "host") > 1) {
    return systemError(400, "a request has one Host header");
  }
  // The parser takes a first line without a version for HTTP/0.9, and any number for a version.
  if (request.httpVersion !== "1.1" && request.httpVersion !== "1.0") {
    return systemError(505, "this server speaks HTTP/1.1");
  }
  // The parser reads no request any more behind one that asks for another protocol.
  if (request.headers.upgrade !== undefined) {
    return systemError(400, "there is nothing to upgrade to");
  }
  // The parser takes any list that ends so; whoever stands in front may see the body's end elsewhere.
  const coding = request.headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return systemError(501, "the only transfer coding is chunked");
  }
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return systemError(417, "the only expectation is 100-continue");
  }
  return undefined;
}

/** How often a header stands among names and values. */
function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at];
    if (header?.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Answers on a bare socket and closes it. */
export function endWith(socket: Duplex, error: WireError): void {
  const body = encodeError(error.service);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
