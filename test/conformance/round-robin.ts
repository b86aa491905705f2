/** A proxy in front of several servers that hands each request to the next one of them. */

import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** The address that the proxy comes from: the servers trust it, and it is no client's. */
export const PROXY_ADDRESS = "127.0.0.9";

export class RoundRobinProxy implements AsyncDisposable {
  readonly #ports: readonly number[];
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  /** Requests that each server got. */
  readonly counts: number[];
  #next = 0;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.counts = ports.map(() => 0);
    this.#server = createServer({ keepAliveTimeout: 60_000 }, this.#forward);
  }

  static async start(ports: readonly number[]): Promise<RoundRobinProxy> {
    const proxy = new RoundRobinProxy(ports);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server, "close");
  }

  readonly #forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const at = this.#next % this.#ports.length;
    this.#next += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    const said = incoming.headers["x-forwarded-for"];
    const peer = incoming.socket.remoteAddress ?? "";
    const onward = httpRequest({
      host: "127.0.0.1",
      port: this.#ports[at],
      localAddress: PROXY_ADDRESS,
      agent: this.#agent,
      method: incoming.method,
      path: incoming.url,
      headers: {
        ...incoming.headers,
        // As balancers do: the client's address comes after whatever it said itself.
        "x-forwarded-for": said === undefined ? peer : `${said.toString()}, ${peer}`,
      },
    });
    onward.once("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      outgoing.flushHeaders();
      answer.once("error", () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  };
}
