import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { encodeError } from "../../protocol/codec.js";
import type { ServerReply, ServerRequest } from "../exchange.js";
import type { WireError } from "../wire-error.js";
import { errorHeaders } from "../wire-reply.js";
import {
  type BodyRoom,
  collectBody,
  declaredLength,
  discardBody,
  type ReceivedBody,
  tooLong,
} from "./body.js";
import { refuseForm } from "./raw.js";

export interface IntakeOptions {
  /** Headers of a request. */
  readonly headersMax: number;
  readonly requestBytesMax: number;
  /** For the bodies of all requests together. */
  readonly bodyRoom: BodyRoom;
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
  /** Calls back when the client has read enough of what it asked for before. @defaultValue at once */
  readonly whenRead?: (socket: Socket, callback: () => void) => void;
  /** Hears of a request that is refused unread, with its HTTP status: it is the last one of its connection. */
  readonly onRefused?: (socket: Socket, status: number) => void;
}

/** Reads requests of node:http as far as their form and their length allow, and hands them on whole. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Whether a request is refused before its body comes. */
  isRefused(request: IncomingMessage): boolean {
    const { headersMax, requestBytesMax } = this.#options;
    return (
      refuseForm(request, headersMax) !== undefined || declaredLength(request) > requestBytesMax
    );
  }

  /**
   * Hands the request on once its body is there, or refuses it.
   *
   * @returns what has to be forgotten when the exchange is over
   */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    reply: ServerReply,
  ): ReceivedBody | undefined {
    const { headersMax, requestBytesMax: bytesMax, bodyRoom: room, handle } = this.#options;
    const refused = refuseForm(request, headersMax);
    if (refused !== undefined) {
      this.#refuse(request, response, refused);
      return undefined;
    }
    return collectBody(
      request,
      { bytesMax, room },
      {
        complete: (body) => {
          const { whenRead } = this.#options;
          if (whenRead === undefined) handle(requestOf(request, body), reply);
          else whenRead(request.socket, () => handle(requestOf(request, body), reply));
        },
        refused: (error) => this.#refuse(request, response, error),
      },
    );
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
    const refused =
      refuseForm(request, headersMax) ?? (isTooLong ? tooLong(requestBytesMax) : undefined);
    if (refused === undefined) handle(requestOf(request, body), reply);
    else this.#refuse(request, response, refused);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: WireError): void {
    this.#options.onRefused?.(request.socket, error.status);
    refuseUnread(request, response, error);
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
    ...errorHeaders(error),
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
