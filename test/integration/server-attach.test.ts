import { strict as assert } from "node:assert";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as ask,
  type RequestListener,
  type Server,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { XrtcClient } from "../../src/index.js";
import { isXrtcError, XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";
import { Authority } from "../support/certificates.js";
import { ACCOUNT_ID, API_KEY, credentials, take } from "../support/service.js";

/** An HTTP server that belongs to somebody else, with an XRTC server behind it. */
class Front implements AsyncDisposable {
  readonly #front: Server;
  readonly server: XrtcServer;

  private constructor(front: Server, server: XrtcServer) {
    this.#front = front;
    this.server = server;
  }

  /** @param before - what the front does with a request before it hands it on */
  static async start(
    options: Partial<XrtcServerOptions> = {},
    before: (request: IncomingMessage) => Promise<void> | undefined = () => undefined,
  ): Promise<Front> {
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
    const limits = { loginIntervalMsMin: 0 };
    const server = new XrtcServer({ accounts, limits, pathPrefix: "/some/xrtc", ...options });
    await server.open();
    const handle = server.handler();
    const listener: RequestListener = (request, response) => {
      const ready = before(request);
      if (ready === undefined) handle(request, response);
      else void ready.then(() => handle(request, response));
    };
    const front = createServer(listener).listen(0, "127.0.0.1");
    await once(front, "listening");
    return new Front(front, server);
  }

  get port(): number {
    return (this.#front.address() as AddressInfo).port;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/some/xrtc/v1`;
  }

  get isListening(): boolean {
    return this.#front.listening;
  }

  client(): XrtcClient {
    return new XrtcClient({ ...credentials, baseUrl: this.baseUrl });
  }

  /** One request, and its answer. */
  async post(
    path: string,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string }> {
    const call = ask(`http://127.0.0.1:${this.port}${path}`, {
      method: "POST",
      agent: false,
      headers,
    });
    call.end(body);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    const closed = once(this.#front, "close");
    this.#front.close();
    this.#front.closeAllConnections();
    await closed;
  }
}

const waitingGets = ({ server }: Front): number => server.stats.waitingGets;

const LOGIN = "/some/xrtc/v1/auth/login";
const body = JSON.stringify({ accountid: ACCOUNT_ID, apikey: API_KEY });

/** What a body parser in front does: Node-RED has one before everything else. */
const parsing =
  (parse: (text: string) => unknown) =>
  async (request: IncomingMessage): Promise<void> => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    Object.assign(request, { _body: true, body: parse(text) });
  };

describe("a local server behind somebody else's HTTP server", () => {
  it("serves the whole API below its path, to which its cookies are bound", async () => {
    await using front = await Front.start();
    await using client = front.client();
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    await client.setItems([{ portalId: "hall", payload: "x".repeat(50_000) }]);
    const [item] = await take(items, 1);
    assert.equal(item?.payload.length, 50_000);
    const { headers } = await front.post(LOGIN, body);
    const cookies = headers["set-cookie"] ?? [];
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) {
      assert.match(cookie, /; Path=\/some\/xrtc\/v1; HttpOnly; SameSite=Strict$/);
    }
    for (const path of ["/v1/auth/login", "/some/xrtc", "/some/xrtcv1/auth/login"]) {
      assert.equal((await front.post(path, body)).status, 404, path);
    }
  });

  it("knows its whole path where a framework has taken the front of it off", async () => {
    await using front = await Front.start({}, (request) => {
      const { url = "" } = request;
      Object.assign(request, { originalUrl: url, url: url.replace("/some/xrtc", "") });
      return undefined;
    });
    assert.equal((await front.post(LOGIN, body)).status, 200);
  });

  it("takes a body that a parser in front has read as JSON, and says so when it was read as a form", async () => {
    const json = { "content-type": "application/json; charset=utf-8" };
    await using parsed = await Front.start({}, parsing(JSON.parse));
    assert.equal((await parsed.post(LOGIN, body, json)).status, 200);
    const limits = { loginIntervalMsMin: 0, requestBytesMax: body.length - 1 };
    await using small = await Front.start({ limits }, parsing(JSON.parse));
    assert.match((await small.post(LOGIN, body, json)).text, /has at most/);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    await using mangled = await Front.start(
      {},
      parsing((text) => ({ [text]: "" })),
    );
    const { status, text } = await mangled.post(LOGIN, body, form);
    assert.equal(status, 400);
    assert.match(text, /send it as application\/json/);
    assert.ok(!text.includes(API_KEY));
  });

  it("keeps its bounds on the length of a request, its headers, and its time", async () => {
    const bounds = { requestTimeoutMs: 50, headersTimeoutMs: 50, headersMax: 8 };
    await using front = await Front.start({ bounds, limits: { requestBytesMax: 1_000 } });
    assert.equal((await front.post(LOGIN, "x".repeat(1_001))).status, 400);
    const many = Object.fromEntries(
      Array.from({ length: 9 }, (_each, index) => [`x-${index}`, "1"]),
    );
    assert.equal((await front.post(LOGIN, body, many)).status, 431);
    const slow = connect(front.port, "127.0.0.1").setEncoding("utf8");
    let answer = "";
    slow.on("data", (text) => (answer += String(text)));
    slow.write(`POST ${LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    await once(slow, "close");
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /"errorcode":408/);
  });

  it("counts what is under way where it cannot count sockets, and forgets what is over", async () => {
    await using front = await Front.start({ bounds: { socketsPerAddressMax: 1 } });
    const slow = connect(front.port, "127.0.0.1");
    slow.write(`POST ${LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    let status = 0;
    // The slow request gets there in its own time.
    while (status !== 503) ({ status } = await front.post(LOGIN, body));
    const gone = once(slow, "close");
    slow.destroy();
    await gone;
    while (status !== 200) ({ status } = await front.post(LOGIN, body));
  });

  it("cuts off a reader that takes nothing, and keeps nothing of who hangs up", async () => {
    const bounds = { stallTimeoutMs: 100, checkIntervalMs: 20 };
    await using front = await Front.start({ bounds });
    await using client = front.client();
    const payload = "x".repeat(60_000);
    const { headers } = await front.post(LOGIN, body);
    const [cookie = ""] = (headers["set-cookie"] ?? []).map((each) => each.split(";")[0]);
    const wish = JSON.stringify({ portals: [{ portalid: "hall" }], mode: "stream" });
    const reader = connect(front.port, "127.0.0.1").pause();
    reader.on("error", () => reader.destroy());
    reader.write(
      `POST /some/xrtc/v1/item/get HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n` +
        `Content-Length: ${wish.length}\r\n\r\n${wish}`,
    );
    while (waitingGets(front) !== 1) await setImmediate();
    // More than the system itself keeps for the reader.
    while (waitingGets(front) !== 0) await client.setItems([{ portalId: "hall", payload }]);
    reader.destroy();
  });

  it("keeps web pages out, and those whom it was told no name for", async () => {
    await using own = await Front.start();
    await using all = await Front.start({
      ...{ host: "0.0.0.0", allowInsecure: true, hostNames: ["my.house"] },
    });
    const from = async (front: Front, headers: Record<string, string>): Promise<number> =>
      (await front.post(LOGIN, body, headers)).status;
    assert.equal(await from(own, { host: "localhost:1880" }), 200);
    assert.equal(await from(own, { host: "192.0.2.7" }), 403);
    assert.equal(await from(all, { host: "192.0.2.7:1880" }), 200);
    assert.equal(await from(all, { host: "my.house" }), 200);
    assert.equal(await from(all, { host: "evil.example" }), 403);
    assert.equal(await from(all, { host: "my.house", origin: "https://evil.example" }), 403);
    assert.equal(await from(all, { "sec-fetch-site": "cross-site" }), 403);
    const sample = [{ accountId: "AC0987654321012345", apiKeys: [API_KEY] }];
    await assert.rejects(
      Front.start({ host: "0.0.0.0", allowInsecure: true, accounts: sample }),
      (error) => isXrtcError(error, "XRTC_SERVER_INSECURE"),
    );
  });

  it("ends what is open when it closes, answers no more, and leaves the other server alone", async () => {
    await using front = await Front.start();
    const client = front.client();
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    await client.setItems([{ portalId: "hall", payload: "1" }]);
    await take(items, 1);
    while (waitingGets(front) !== 1) await setImmediate();
    await front.server.close();
    assert.equal(waitingGets(front), 0);
    assert.equal((await front.post(LOGIN, body)).status, 503);
    assert.ok(front.isListening);
    await client.close();
  });

  it("answers that it cannot serve before it is open", async () => {
    const server = new XrtcServer({ accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }] });
    const front = createServer(server.handler()).listen(0, "127.0.0.1");
    await once(front, "listening");
    const { port } = front.address() as AddressInfo;
    const { status } = await fetch(`http://127.0.0.1:${port}/v1/auth/login`, {
      ...{ method: "POST", body, headers: { connection: "close" } },
    });
    assert.equal(status, 503);
    await server.close();
    await assert.rejects(server.open(), (error) => isXrtcError(error, "XRTC_CLOSED"));
    front.close();
    await once(front, "close");
  });
});

describe("a local server that also listens for its own process", () => {
  it("is the same server in plain HTTP, whatever the others see", async () => {
    const authority = new Authority();
    await using server = new XrtcServer({
      ...{ port: 0, tls: authority.issue("127.0.0.1"), pathPrefix: "/xrtc" },
      accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }],
      limits: { loginIntervalMsMin: 0 },
    });
    const [baseUrl, publicUrl] = await Promise.all([server.listenLocally(), server.listen()]);
    assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:\d+\/xrtc\/v1$/);
    assert.match(publicUrl, /^https:\/\/127\.0\.0\.1:\d+\/xrtc\/v1$/);
    await using inside = new XrtcClient({ ...credentials, baseUrl });
    const tls = { ca: authority.cert };
    await using outside = new XrtcClient({ ...credentials, baseUrl: publicUrl, tls });
    const items = inside.subscribe({ portals: ["hall"], start: "all" });
    await outside.setItems([{ portalId: "hall", payload: "1" }]);
    const [item] = await take(items, 1);
    assert.equal(item?.payload, "1");
    await server.close();
    await assert.rejects(server.listenLocally(), (error) => isXrtcError(error, "XRTC_CLOSED"));
    assert.equal(server.stats.sockets, 0);
  });
});
