/**
 * A balancer that knows no sessions: each request goes to the next server in turn, whatever its cookies say. What
 * streams goes on streaming; a server that is down, or breaks off, is answered for as a balancer does.
 */

import { once } from "node:events";
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

export class RoundRobin implements AsyncDisposable {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #ports: readonly number[];
  readonly #served: number[];
  #next = 0;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#served = ports.map(() => 0);
    this.#server = createServer((asked, answer) => this.#pass(asked, answer));
    // Clients decide for how long a connection is kept.
    this.#server.keepAliveTimeout = 70_000;
  }

  /** Resolves when it listens, on a free port of this machine. */
  static async before(ports: readonly number[]): Promise<RoundRobin> {
    const balancer = new RoundRobin(ports);
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** Requests that each server got. */
  get served(): readonly number[] {
    return this.#served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const turn = this.#next % this.#ports.length;
    this.#next += 1;
    this.#served[turn] = (this.#served[turn] ?? 0) + 1;
    const onward = request({
      agent: this.#agent,
      host: "127.0.0.1",
      port: this.#ports[turn],
      // From the same address as the client, to which sessions are bound.
      localAddress: asked.socket.remoteAddress?.replace("::ffff:", ""),
      method: asked.method,
      path: asked.url,
      headers: asked.headers,
    });
    onward.once("response", (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answer.flushHeaders();
      // What is broken off on one side is broken off on the other; nobody else needs to know.
      pipeline(answered, answer, () => undefined);
    });
    onward.once("error", () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad Gateway</h1>");
    });
    asked.once("error", () => onward.destroy());
    answer.once("close", () => {
      if (!answer.writableEnded) onward.destroy();
    });
    asked.pipe(onward);
  }
}
