import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { encodeError } from "../../protocol/codec.js";
import type { ServerReply, ServerRequest } from "../exchange.js";
import { refusal, type WireError } from "../wire-error.js";
import { collectBody, discardBody } from "./body.js";
import { refuseForm } from "./raw.js";

export interface IntakeOptions {
  /** Headers of a request. */
  readonly headersMax: number;
  readonly requestBytesMax: number;
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
}

/** Reads requests of node:http as far as their form and their length allow, and hands them on whole. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Whether a request announces a body that is refused. */
  isTooLong(request: IncomingMessage): boolean {
    return Number(request.headers["content-length"] ?? 0) > this.#options.requestBytesMax;
  }

  /** Hands the request on once its body is there, or refuses it. */
  take(request: IncomingMessage, response: ServerResponse, reply: ServerReply): void {
    const { headersMax, requestBytesMax, handle } = this.#options;
    const refused = refuseForm(request, headersMax);
    if (refused !== undefined) {
      refuseUnread(request, response, refused);
      return;
    }
    collectBody(request, requestBytesMax, {
      complete: (body) => handle(requestOf(request, body), reply),
      tooLong: () => refuseUnread(request, response, this.#tooLong()),
    });
  }

  /** The same with a request whose body somebody else has read. */
  takeRead(
    request: IncomingMessage,
    response: ServerResponse,
    reply: ServerReply,
    body: Buffer,
  ): void {
    const { headersMax, requestBytesMax, handle } = this.#options;
    const isTooLong = body.length > requestBytesMax;
    const refused = refuseForm(request, headersMax) ?? (isTooLong ? this.#tooLong() : undefined);
    if (refused === undefined) handle(requestOf(request, body), reply);
    else refuseUnread(request, response, refused);
  }

  #tooLong(): WireError {
    const message = `a request has at most ${this.#options.requestBytesMax} bytes`;
    return refusal("application", "INPUT_BINARYJSON_PARSE_FAIL", message);
  }
}

/** Refuses a request that was not read to its end; the connection ends with it. */
export function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  error: WireError,
): void {
  answerUnread(response, error);
  discardBody(request, () => response.end());
}

/** All of an answer but its end. */
export function answerUnread(response: ServerResponse, error: WireError): void {
  const bytes = Buffer.from(encodeError(error.service));
  response.writeHead(error.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(bytes.length),
    connection: "close",
  });
  response.write(bytes);
}

/** Frameworks that take a part of the path off keep the whole of it here. */
type Routed = IncomingMessage & { readonly originalUrl?: string };

const requestOf = (request: Routed, body: Buffer): ServerRequest => ({
  method: request.method ?? "",
  path: request.originalUrl ?? request.url ?? "",
  headers: request.headers,
  body,
  peer: request.socket.remoteAddress ?? "",
  isSecure: (request.socket as Partial<TLSSocket>).encrypted === true,
});
