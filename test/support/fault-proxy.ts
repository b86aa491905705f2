import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { FaultConnection } from "./fault-connection.js";
import type { Cut, Exchange, Fault, Plan } from "./faults.js";
import type { Head } from "./http-framing.js";

export type { Cut, Exchange, Fault, Plan } from "./faults.js";

interface Arrival {
  readonly path: string;
  readonly count: number;
  readonly resolve: () => void;
}

/**
 * An unreliable network before a server of this machine: it understands HTTP/1.1 well enough to know where in a request
 * or an answer it stands, and does to each exchange what a plan says.
 *
 * ```ts
 * await using proxy = await FaultProxy.before(server.port, ({ path, pathIndex }) =>
 *   path === "/v1/item/set" && pathIndex === 0 ? { kind: "swallow" } : undefined,
 * );
 * ```
 */
export class FaultProxy implements AsyncDisposable {
  /** What goes wrong from the next exchange on. */
  plan: Plan;
  /** Resolves when the proxy has been closed and holds no socket any more. */
  readonly closed: Promise<void>;
  readonly #server: Server;
  readonly #upstreamPort: number;
  readonly #exchanges: Exchange[] = [];
  readonly #counts = new Map<string, number>();
  readonly #connections = new Map<Socket, FaultConnection>();
  readonly #serving = new Set<Promise<void>>();
  readonly #arrivals = new Set<Arrival>();
  readonly #problems: unknown[] = [];
  #connectionCount = 0;

  private constructor(upstreamPort: number, plan: Plan) {
    this.plan = plan;
    this.#upstreamPort = upstreamPort;
    this.#server = createServer((client) => this.#serve(client));
    this.closed = once(this.#server, "close").then(() => this.#served());
  }

  /** A proxy on a free port of 127.0.0.1, before a port there. */
  static async before(upstreamPort: number, plan: Plan = () => undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstreamPort, plan);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:<port>`, with nothing after it. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Every exchange that has begun, in order. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }

  /** Connections of clients that are open. */
  get openSockets(): number {
    return this.#connections.size;
  }

  /** How many connections there have been. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** How many exchanges have begun, in all or of one path. */
  count(path?: string): number {
    return path === undefined ? this.#exchanges.length : (this.#counts.get(path) ?? 0);
  }

  /** Resolves when so many exchanges of a path have begun. */
  async reached(path: string, count = 1): Promise<void> {
    if (this.count(path) >= count) return;
    await new Promise<void>((resolve) => {
      this.#arrivals.add({ path, count, resolve });
    });
  }

  /**
   * Ends every connection that stands between two exchanges, as a server does that is tired of waiting.
   *
   * @returns how many there were
   */
  closeIdle(how: Cut = "fin"): number {
    const idle = [...this.#connections.values()].filter((connection) => connection.idle);
    for (const connection of idle) connection.cut(how);
    return idle.length;
  }

  /** Ends every connection at once, in whatever it is. */
  cutAll(how: Cut = "rst"): void {
    for (const connection of this.#connections.values()) connection.cut(how);
  }

  /** @throws AggregateError when there was an exchange that the proxy could not pass on as planned */
  async close(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    for (const client of this.#connections.keys()) client.destroy();
    await this.closed;
    const problems = this.#problems.splice(0);
    if (problems.length > 0) throw new AggregateError(problems, "the proxy failed an exchange");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(client: Socket): void {
    const number = this.#connectionCount;
    this.#connectionCount += 1;
    const connection = new FaultConnection(client, this.#upstreamPort, (head) =>
      this.#begin(head, number),
    );
    this.#connections.set(client, connection);
    client.once("close", () => this.#connections.delete(client));
    const serving = this.#run(client, connection);
    this.#serving.add(serving);
    void serving.finally(() => this.#serving.delete(serving));
  }

  async #run(client: Socket, connection: FaultConnection): Promise<void> {
    const gone = new Promise((resolve) => {
      client.once("close", resolve);
    });
    try {
      await connection.serve();
    } catch (error) {
      this.#problems.push(error);
      client.destroy();
    }
    await gone;
  }

  async #served(): Promise<void> {
    await Promise.all(this.#serving);
  }

  #begin(head: Head, connection: number): Fault | undefined {
    const [method = "", target = ""] = head.startLine.split(" ");
    const path = target.split("?")[0] ?? target;
    const pathIndex = this.count(path);
    const exchange = { index: this.#exchanges.length, method, path, pathIndex, connection };
    this.#exchanges.push(exchange);
    this.#counts.set(path, pathIndex + 1);
    for (const arrival of this.#arrivals) {
      if (arrival.path !== path || arrival.count > pathIndex + 1) continue;
      this.#arrivals.delete(arrival);
      arrival.resolve();
    }
    return this.plan(exchange);
  }
}
