import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../address.js";
import type { Address } from "./address-of.js";
import { XrtcError } from "../../errors.js";

export interface AdminListenerOptions {
  readonly address: Address;
  /** Why the server cannot serve just now; undefined while it can. */
  trouble(): string | undefined;
  /** The text of `/metrics`, and its content type. */
  metrics(): Promise<{ readonly text: string; readonly type: string }>;
}

/** A scraper and a health check need no more. */
const SOCKETS_MAX = 32;
const TIMEOUT_MS = 5_000;

/** `/metrics` and `/healthz`, apart from the server: what they tell is for its operator. */
export class AdminListener {
  readonly #options: AdminListenerOptions;
  readonly #server: Server;

  constructor(options: AdminListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: 8_192,
        headersTimeout: TIMEOUT_MS,
        requestTimeout: TIMEOUT_MS,
        keepAliveTimeout: TIMEOUT_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = SOCKETS_MAX;
  }

  /**
   * @returns its own URL
   * @throws XrtcError XRTC_SERVER_ADDRESS
   */
  listen(): Promise<string> {
    const { host, port } = this.#options.address;
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        const reason = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
        const message = `cannot serve metrics on ${host} port ${port}: ${reason}`;
        reject(new XrtcError("XRTC_SERVER_ADDRESS", message, { cause: error }));
      };
      this.#server.once("error", onError);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", onError);
        const name = host.includes(":") ? `[${host}]` : host;
        resolve(`http://${name}:${(this.#server.address() as AddressInfo).port}`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    request.resume();
    // A page in somebody's browser must not read it by a name of its own that leads to this machine.
    if (isLoopback(this.#options.address.host) && !isLoopback(hostOf(headers.host))) {
      send(response, 403, "text/plain", "the Host header names another server\n");
    } else if (method !== "GET" && method !== "HEAD") {
      send(response, 405, "text/plain", "GET\n");
    } else if (url === "/healthz") {
      this.#sendHealth(response);
    } else if (url === "/metrics") {
      await this.#sendMetrics(response);
    } else {
      send(response, 404, "text/plain", "/metrics, /healthz\n");
    }
  }

  #sendHealth(response: ServerResponse): void {
    const trouble = this.#options.trouble();
    const health = trouble === undefined ? { status: "ok" } : { status: "trouble", trouble };
    const status = trouble === undefined ? 200 : 503;
    send(response, status, "application/json", `${JSON.stringify(health)}\n`);
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    try {
      const { text, type } = await this.#options.metrics();
      send(response, 200, type, text);
    } catch {
      send(response, 500, "text/plain", "the metrics cannot be told\n");
    }
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}

const hostOf = (header = ""): string => header.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
