import { strict as assert } from "node:assert";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";

export const ALICE = { accountId: "AC1111", apiKey: "a".repeat(32) };

/** A real server on a free port, for one account. */
export async function listening(options: Partial<XrtcServerOptions> = {}): Promise<XrtcServer> {
  const accounts = [{ accountId: ALICE.accountId, apiKeys: [ALICE.apiKey] }];
  const server = new XrtcServer({ port: 0, accounts, ...options });
  await server.listen();
  return server;
}

/** A server, in this process or another. */
export type Reachable = Pick<XrtcServer, "url">;

export const portOf = (server: Reachable): number => Number(new URL(server.url).port);

/** A socket that says exactly what it is told to say. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  isClosed = false;
  /** Whether the other side ended or reset. */
  wasReset = false;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      this.received += text;
    });
    socket.on("error", () => {
      this.wasReset = true;
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  static async open(server: Reachable, localAddress?: string): Promise<RawClient> {
    const { hostname } = new URL(server.url);
    const address = localAddress === undefined ? {} : { localAddress };
    const client = new RawClient(connect({ host: hostname, port: portOf(server), ...address }));
    await Promise.race([once(client.socket, "connect"), client.closed]);
    return client;
  }

  send(...lines: readonly string[]): this {
    this.socket.write(lines.join("\r\n"));
    return this;
  }

  post(path: string, body: string, ...headers: readonly string[]): this {
    return this.send(
      `POST /v1${path} HTTP/1.1`,
      "Host: localhost",
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
      "",
      body,
    );
  }

  /** Waits until what came matches; fails when the connection ends before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.received);
      if (match !== null) return match;
      assert.equal(this.isClosed, false, `closed after ${JSON.stringify(this.received)}`);
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
  }

  /** Logs in. @returns the header that bears the session */
  async login(): Promise<string> {
    const body = JSON.stringify({ accountid: ALICE.accountId, apikey: ALICE.apiKey });
    this.post("/auth/login", body);
    const [, id] = await this.until(/^set-cookie: JSESSIONID=(\w+);[^]*\{"servertimestamp".*\}/im);
    this.received = "";
    return `Cookie: JSESSIONID=${id}`;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A server and clients that are gone after the test. */
export class Stage implements AsyncDisposable {
  readonly #clients: RawClient[] = [];

  private constructor(readonly server: XrtcServer) {}

  static async open(options: Partial<XrtcServerOptions> = {}): Promise<Stage> {
    return new Stage(await listening(options));
  }

  async client(localAddress?: string): Promise<RawClient> {
    const client = await RawClient.open(this.server, localAddress);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server.close();
  }
}

/** The status lines of all answers that came. */
export const statusesOf = (client: RawClient): number[] =>
  [...client.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
