import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Cancel, systemClock } from "../../primitives/clock.js";
import { TimeoutQueue } from "../../primitives/timeout-queue.js";
import { canonicalAddress, networkOf } from "../address.js";
import type { Bounds } from "../bounds.js";
import type { ServerReply, ServerRequest } from "../exchange.js";
import { refusal, systemError, type WireError } from "../wire-error.js";
import type { BodyRoom, ReceivedBody } from "./body.js";
import { HttpReply, type ReplyOptions } from "./http-reply.js";
import { answerUnread, Intake, refuseUnread } from "./intake.js";
import { StallWatch } from "./stall-watch.js";

export interface AttachmentOptions {
  readonly bounds: Bounds;
  readonly requestBytesMax: number;
  /** For the bodies of all requests together. */
  readonly bodyRoom: BodyRoom;
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
  /** Hears with which HTTP status a request was refused that is not handed on. */
  readonly onRefused: (status: number) => void;
}

/** What a framework in front may have made of a request's body. */
type Parsed = IncomingMessage & { readonly body?: unknown; readonly _body?: boolean };

/** One exchange that is under way. */
interface Open {
  readonly reply: HttpReply;
  readonly address: string;
  readonly socket: Socket;
  cancelTimeout: Cancel | undefined;
  body: ReceivedBody | undefined;
}

/** What is under way on one socket. */
interface OnSocket {
  readonly responses: Set<ServerResponse>;
  readonly onClose: () => void;
}

/**
 * A server's core behind an HTTP server of somebody else. That server's own bounds hold for its sockets and headers;
 * what is kept here is the length of a request and the time for it, the number of headers, the patience with readers,
 * and the bounds on sockets as bounds on what is under way. Its timeouts are real time, as those of a listener.
 */
export class Attachment {
  readonly #bounds: Bounds;
  readonly #intake: Intake;
  readonly #replyOptions: ReplyOptions;
  readonly #requestTimeouts: TimeoutQueue;
  readonly #open = new Map<ServerResponse, Open>();
  readonly #byAddress = new Map<string, number>();
  readonly #bySocket = new Map<Socket, OnSocket>();
  #onEmpty: (() => void) | undefined;

  constructor(options: AttachmentOptions) {
    const { bounds, requestBytesMax, bodyRoom, handle } = options;
    this.#bounds = bounds;
    const { headersMax } = bounds;
    this.#intake = new Intake({
      headersMax,
      requestBytesMax,
      bodyRoom,
      handle,
      onRefused: (_socket, status) => options.onRefused(status),
    });
    const watcher = new StallWatch({ ...bounds, clock: systemClock });
    this.#replyOptions = { watcher, frames: undefined };
    this.#requestTimeouts = new TimeoutQueue(bounds.requestTimeoutMs, systemClock);
  }

  /** Requests under way. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes a request in, as a listener for `request` of node:http does, or a handler of Express. */
  readonly handle = (request: Parsed, response: ServerResponse): void => {
    const address = networkOf(canonicalAddress(request.socket.remoteAddress ?? ""));
    const { socketsMax, socketsPerAddressMax } = this.#bounds;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    const open = this.#enter(request, response, address);
    if (this.#open.size > socketsMax || ofAddress >= socketsPerAddressMax) {
      refuseUnread(request, response, systemError(503, "too many requests are under way", 1_000));
    } else if (wasRead(request)) {
      this.#takeRead(request, response, open.reply);
    } else {
      open.body = this.#intake.take(request, response, open.reply);
    }
  };

  /** Resolves when no exchange is under way, by force if need be. */
  async closed(): Promise<void> {
    if (this.#open.size === 0) return;
    const cancel = systemClock.schedule(this.#bounds.closeTimeoutMs, () => {
      for (const { socket } of [...this.#open.values()]) socket.destroy();
    });
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    cancel();
  }

  #enter(request: IncomingMessage, response: ServerResponse, address: string): Open {
    const { socket } = request;
    const reply = new HttpReply(response, this.#replyOptions);
    const open: Open = { reply, address, socket, cancelTimeout: undefined, body: undefined };
    this.#open.set(response, open);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    this.#onSocket(socket).responses.add(response);
    response.once("close", () => this.#leave(response));
    if (!request.complete) {
      open.cancelTimeout = this.#requestTimeouts.add(() => giveUp(response, socket));
      request.once("end", () => open.cancelTimeout?.());
    }
    return open;
  }

  #leave(response: ServerResponse): void {
    const open = this.#open.get(response);
    if (open === undefined) return;
    const { address, socket, reply } = open;
    this.#open.delete(response);
    open.cancelTimeout?.();
    open.body?.forget();
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
    this.#leaveSocket(socket, response);
    reply.closed();
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  #onSocket(socket: Socket): OnSocket {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const responses = new Set<ServerResponse>();
    const onClose = (): void => {
      // node:http tells only the answer that was being sent, not those that were to follow it.
      for (const response of [...responses]) this.#leave(response);
    };
    const entry = { responses, onClose };
    this.#bySocket.set(socket, entry);
    socket.once("close", onClose);
    return entry;
  }

  #leaveSocket(socket: Socket, response: ServerResponse): void {
    const entry = this.#bySocket.get(socket);
    entry?.responses.delete(response);
    if (entry === undefined || entry.responses.size > 0) return;
    this.#bySocket.delete(socket);
    socket.off("close", entry.onClose);
  }

  #takeRead(request: Parsed, response: ServerResponse, reply: HttpReply): void {
    const body = readBody(request);
    if (body === undefined) refuseUnread(request, response, unreadable());
    else this.#intake.takeRead(request, response, reply, body);
  }
}

/** Whether somebody in front, such as a body parser, has taken the body away. */
const wasRead = (request: Parsed): boolean => request._body === true || request.readableEnded;

/** The body as it was, if it can be told from what was made of it. */
function readBody({ body, headers }: Parsed): Buffer | undefined {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === "string") return Buffer.from(body);
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers["content-type"] ?? "");
  return isJson && body !== undefined ? Buffer.from(JSON.stringify(body)) : undefined;
}

const unreadable = (): WireError =>
  refusal(
    "application",
    "INPUT_BINARYJSON_PARSE_FAIL",
    "the web server in front read the body as a form: send it as application/json",
  );

/** The request does not come to its end. */
function giveUp(response: ServerResponse, socket: Socket): void {
  if (response.headersSent) {
    socket.destroy();
    return;
  }
  answerUnread(response, systemError(408, "the request did not come in time"));
  response.end(() => socket.destroySoon());
}
