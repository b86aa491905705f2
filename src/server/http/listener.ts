import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { printable, XrtcError } from "../../errors.js";
import { systemClock } from "../../primitives/clock.js";
import { canonicalAddress } from "../address.js";
import type { Bounds } from "../bounds.js";
import type { ServerReply, ServerRequest } from "../exchange.js";
import { secureContextOf, type XrtcServerTls } from "../tls.js";
import { systemError, type WireError } from "../wire-error.js";
import type { BodyRoom } from "./body.js";
import { ChunkFrames } from "./chunk-frames.js";
import { Connections } from "./connections.js";
import { HttpReply, type ReplyOptions } from "./http-reply.js";
import { Intake } from "./intake.js";
import { newServer } from "./new-server.js";
import { endWith } from "./raw.js";
import { StallWatch } from "./stall-watch.js";

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly bounds: Bounds;
  readonly requestBytesMax: number;
  /** For the bodies of all requests together. */
  readonly bodyRoom: BodyRoom;
  /** Addresses that stand for many clients. */
  readonly trustedProxies: readonly string[];
  /** Undefined for plain HTTP. */
  readonly tls: XrtcServerTls | undefined;
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
  /** Hears with which HTTP status a request was refused that is not handed on. */
  readonly onRefused: (status: number) => void;
}

/**
 * Sockets around a server's core. Its timeouts are real time whatever clock the core has: node:http keeps its own.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server | TlsServer;
  readonly #connections: Connections;
  readonly #replyOptions: ReplyOptions;
  readonly #intake: Intake;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { bounds, requestBytesMax, bodyRoom, handle } = options;
    this.#connections = new Connections({
      perAddressMax: bounds.socketsPerAddressMax,
      unbounded: new Set(options.trustedProxies.map(canonicalAddress)),
      isTls: options.tls !== undefined,
      idleMsMax: bounds.keepAliveTimeoutMs + bounds.headersTimeoutMs,
      checkIntervalMs: bounds.checkIntervalMs,
      clock: systemClock,
    });
    this.#intake = new Intake({
      headersMax: bounds.headersMax,
      requestBytesMax,
      bodyRoom,
      handle,
      whenRead: (socket, callback) => this.#connections.whenRead(socket, callback),
      onRefused: (socket, status) => {
        this.#connections.setLast(socket);
        options.onRefused(status);
      },
    });
    const watcher = new StallWatch({ ...bounds, clock: systemClock });
    this.#replyOptions = { watcher, frames: new ChunkFrames() };
    this.#server = newServer(bounds, options.tls);
    this.#server.on("connection", (socket: Socket) => this.#connections.add(socket));
    this.#server.on("secureConnection", (socket: TLSSocket) => this.#connections.secure(socket));
    this.#server.on("request", this.#onRequest);
    this.#server.on("checkContinue", this.#onCheckContinue);
    // Its form is what it is refused for, in the wire's shape.
    this.#server.on("checkExpectation", this.#onRequest);
    this.#server.on("clientError", this.#onClientError);
    this.#server.on("connect", this.#onConnect);
  }

  get socketCount(): number {
    return this.#connections.size;
  }

  /**
   * Listens.
   *
   * @returns the port
   * @throws XrtcError XRTC_SERVER_ADDRESS when the address cannot be had
   */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        const message = `cannot listen on ${host} port ${port}: ${reasonOf(error)}`;
        reject(new XrtcError("XRTC_SERVER_ADDRESS", message, { cause: error }));
      };
      this.#server.once("error", onError);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", onError);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Proves itself with another certificate to whoever connects from now on. */
  renewTls(tls: XrtcServerTls): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(secureContextOf(tls));
  }

  /** Takes no connections any more; those without work are closed. */
  stop(): void {
    this.#server.close();
    this.#connections.closeWhenIdle();
  }

  /** Resolves when every socket is closed, by force if need be. */
  async closed(): Promise<void> {
    const { closeTimeoutMs } = this.#options.bounds;
    const cancel = systemClock.schedule(closeTimeoutMs, () => this.#connections.destroyAll());
    // Not the server's own event: it comes before the sockets have told that they are closed.
    await this.#connections.empty();
    cancel();
  }

  readonly #onCheckContinue = (request: IncomingMessage, response: ServerResponse): void => {
    if (!this.#intake.isRefused(request)) response.writeContinue();
    this.#onRequest(request, response);
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const reply = new HttpReply(response, this.#replyOptions);
    if (!this.#connections.addReply(socket, reply)) {
      request.resume();
      return;
    }
    if (!response.shouldKeepAlive) this.#connections.setLast(socket);
    const body = this.#intake.take(request, response, reply);
    // Not once(): it comes once by itself, and what waits for it should be small.
    response.on("close", () => {
      body?.forget();
      reply.closed();
      this.#connections.removeReply(socket, reply);
    });
  };

  readonly #onConnect = (_request: IncomingMessage, socket: Duplex): void => {
    socket.on("error", () => socket.destroy());
    // An answer that is under way would take this one for a part of itself.
    if (this.#connections.activityOf(socket as Socket) !== "nothing") socket.destroy();
    else endWith(socket, systemError(405, "this server is no proxy"));
  };

  /** What came is no HTTP, or did not come in time. */
  readonly #onClientError = (error: NodeJS.ErrnoException, duplex: Duplex): void => {
    const socket = duplex as Socket;
    // Nor is there anything to say to who speaks no TLS where it is spoken, or breaks its handshake off.
    if (!socket.writable || !this.#connections.has(socket)) {
      socket.destroy();
      return;
    }
    const refused = (CLIENT_ERRORS[error.code ?? ""] ?? notHttp)();
    this.#options.onRefused(refused.status);
    this.#connections.setLast(socket);
    if (this.#connections.activityOf(socket) !== "answer") {
      endWith(socket, refused);
      return;
    }
    // What was asked before it and can be answered at once, is; then it is its turn. It must not come between.
    setImmediate(() => {
      if (socket.writable && this.#connections.activityOf(socket) !== "answer") {
        endWith(socket, refused);
      } else socket.destroy();
    });
  };
}

const notHttp = (): WireError => systemError(400, "this is no HTTP request");

const CLIENT_ERRORS: Readonly<Record<string, () => WireError>> = {
  HPE_HEADER_OVERFLOW: () => systemError(431, "the headers are too large"),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => systemError(413, "the chunks are too large"),
  ERR_HTTP_REQUEST_TIMEOUT: () => systemError(408, "the request did not come in time"),
};

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "the port is taken";
  if (error.code === "EACCES") return "this user may not";
  return printable(error.message);
}
