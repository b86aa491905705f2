import { strict as assert } from "node:assert";
import { once } from "node:events";
import { Agent, type IncomingMessage, type Server, createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { Barrier } from "../../support/barrier.js";
import { type Fault, FaultProxy } from "../../support/fault-proxy.js";

const LINES = '{"a":1}\n{"b":"grüße"}\n{"c":3}\n';
const BYTES = Buffer.from(LINES);

/** What the server has seen of a request: all of it, or how much before its connection ended. */
interface Seen {
  readonly path: string;
  readonly body: string;
  readonly whole: boolean;
}

class Upstream {
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  #wake: (() => void) | undefined;

  constructor() {
    this.#server = createServer((incoming, answer) => {
      const parts: Buffer[] = [];
      const note = (whole: boolean): void => {
        this.seen.push({ path: incoming.url ?? "", body: Buffer.concat(parts).toString(), whole });
        this.#wake?.();
      };
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.once("end", () => {
        note(true);
        // Chunked on one path, with a length on the other: both have a body in three lines.
        if (incoming.url === "/length") answer.setHeader("content-length", BYTES.length);
        else for (const line of LINES.split(/(?<=\n)/)) answer.write(line);
        answer.end(incoming.url === "/length" ? BYTES : undefined);
      });
      incoming.once("close", () => {
        if (!incoming.complete) note(false);
      });
    });
    this.#server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when it has seen so many requests. */
  async saw(count: number): Promise<readonly Seen[]> {
    while (this.seen.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.seen;
  }

  /** Closes what is idle; what is not would keep it open, and the test with it. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    await once(this.#server, "close");
  }
}

describe("a fault proxy", () => {
  let upstream: Upstream;
  let proxy: FaultProxy;
  let agent: Agent;

  beforeEach(async () => {
    upstream = new Upstream();
    proxy = await FaultProxy.before(await upstream.listen());
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });

  afterEach(async () => {
    agent.destroy();
    await proxy.close();
    await proxy.closed;
    await upstream.close();
    assert.equal(proxy.openSockets, 0);
  });

  const withFault = (fault: Fault, path?: string): void => {
    proxy.plan = (exchange) => (path === undefined || exchange.path === path ? fault : undefined);
  };

  /** Sends a request and resolves with the answer once its head is there. */
  async function start(path = "/", body = "", signal?: AbortSignal): Promise<IncomingMessage> {
    const options = { method: "POST", agent, ...(signal === undefined ? {} : { signal }) };
    const outgoing = request(`${proxy.origin}${path}`, options);
    const response = once(outgoing, "response");
    // What breaks off once an answer has begun is the answer's to tell, and the request tells it a second time.
    outgoing.on("error", () => undefined);
    outgoing.end(body);
    const [answer] = (await response) as [IncomingMessage];
    return answer;
  }

  const post = async (path?: string, body?: string): Promise<string> =>
    text(await start(path, body));

  /** What of an answer arrived, and the code of the error that ended it, if one did. */
  async function postUntilEnd(path?: string): Promise<{ body: string; error?: string }> {
    const answer = await start(path);
    const parts: Buffer[] = [];
    try {
      for await (const part of answer) parts.push(part as Buffer);
    } catch (error) {
      return {
        body: Buffer.concat(parts).toString("latin1"),
        error: (error as { code: string }).code,
      };
    }
    return { body: Buffer.concat(parts).toString("latin1") };
  }

  it("passes everything on where nothing is planned, over one connection", async () => {
    assert.equal(await post("/set?x=1", "hello"), LINES);
    assert.equal(await post("/length", "again"), LINES);
    assert.equal(await post("/set", "x".repeat(300_000)), LINES);
    assert.equal(upstream.seen[2]?.body.length, 300_000);
    assert.deepEqual(
      proxy.exchanges.map(({ path, index, pathIndex, connection }) => [
        path,
        index,
        pathIndex,
        connection,
      ]),
      [
        ["/set", 0, 0, 0],
        ["/length", 1, 0, 0],
        ["/set", 2, 1, 0],
      ],
    );
    assert.equal(proxy.count(), 3);
    assert.equal(proxy.count("/set"), 2);
    assert.equal(proxy.connectionCount, 1);
    assert.equal(proxy.openSockets, 1);
  });

  it("passes on an answer as it arrives, not when it ends", async () => {
    const barrier = new Barrier();
    withFault({ kind: "hold", until: barrier.passed, afterBytes: 8 });
    const answer = await start();
    const [first] = (await once(answer, "data")) as [Buffer];
    assert.equal(first.toString(), '{"a":1}\n');
    barrier.open();
    assert.equal((await buffer(answer)).toString(), LINES.slice(8));
  });

  it("holds a request until a promise resolves", async () => {
    const barrier = new Barrier();
    withFault({ kind: "hold", until: barrier.passed, of: "request" });
    const answered = post("/set");
    await proxy.reached("/set");
    assert.equal(upstream.seen.length, 0);
    barrier.open();
    assert.equal(await answered, LINES);
  });

  it("delays a request or its answer", async () => {
    withFault({ kind: "delay", ms: 1 });
    assert.equal(await post(), LINES);
    withFault({ kind: "delay", ms: 1, of: "response" });
    assert.equal(await post(), LINES);
  });

  it("lets go of a delay when it closes", async () => {
    withFault({ kind: "delay", ms: 3_600_000 });
    const answered = post("/set");
    const lost = assert.rejects(answered, { code: "ECONNRESET" });
    await proxy.reached("/set");
    await proxy.close();
    await lost;
  });

  for (const path of ["/", "/length"]) {
    it(`slices an answer into pieces of one byte (${path})`, async () => {
      withFault({ kind: "slice", bytes: 1 });
      const answer = await start(path);
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part as Buffer);
      assert.equal(Buffer.concat(parts).toString(), LINES);
      assert.ok(parts.length > 10, `${parts.length} pieces`);
    });

    it(`cuts an answer at every byte of its body (${path})`, async () => {
      for (const how of ["fin", "rst"] as const) {
        for (let afterBytes = 0; afterBytes < BYTES.length; afterBytes += 1) {
          withFault({ kind: "cut-response", afterBytes, how });
          const { body, error } = await postUntilEnd(path);
          assert.equal(
            body,
            BYTES.subarray(0, afterBytes).toString("latin1"),
            `${how} at ${afterBytes}`,
          );
          assert.equal(error, "ECONNRESET", `${how} at ${afterBytes}`);
        }
      }
    });

    it(`ends an answer early as if it were whole, and goes on with the connection (${path})`, async () => {
      for (let afterBytes = 0; afterBytes < BYTES.length; afterBytes += 1) {
        withFault({ kind: "cut-response", afterBytes, how: "clean" });
        const { body, error } = await postUntilEnd(path);
        assert.equal(body, BYTES.subarray(0, afterBytes).toString("latin1"));
        assert.equal(error, undefined);
      }
      assert.equal(proxy.connectionCount, 1);
    });

    it(`repeats a line (${path})`, async () => {
      withFault({ kind: "duplicate-line", line: 1 });
      assert.equal(await post(path), '{"a":1}\n{"b":"grüße"}\n{"b":"grüße"}\n{"c":3}\n');
    });

    it(`garbles bytes (${path})`, async () => {
      withFault({ kind: "garble", at: 1, bytes: Buffer.from("###") });
      assert.equal(await post(path), LINES.replace('"a"', "###"));
      withFault({ kind: "garble", at: 13 });
      const { body } = await postUntilEnd(path);
      const changed = Buffer.from(BYTES);
      changed[13] = (changed[13] ?? 0) ^ 0xff;
      assert.equal(body, changed.toString("latin1"));
    });
  }

  it("cuts a request after some bytes of its body", async () => {
    for (const how of ["fin", "rst"] as const) {
      withFault({ kind: "cut-request", afterBytes: 3, how });
      await assert.rejects(post("/set", "hello"), { code: "ECONNRESET" });
    }
    assert.deepEqual(
      (await upstream.saw(2)).map(({ body, whole }) => [body, whole]),
      [
        ["hel", false],
        ["hel", false],
      ],
    );
  });

  it("refuses a request of which nothing reaches the server", async () => {
    proxy.plan = ({ index }) => (index === 1 ? { kind: "refuse", how: "rst" } : undefined);
    assert.equal(await post("/set"), LINES);
    await assert.rejects(post("/set"), { code: "ECONNRESET" });
    assert.equal(await post("/set"), LINES);
    assert.equal(upstream.seen.length, 2);
    assert.equal(proxy.connectionCount, 2);
  });

  it("swallows an answer and leaves the connection open", async () => {
    withFault({ kind: "swallow" });
    const abort = new AbortController();
    const lost = assert.rejects(start("/set", "hello", abort.signal), { name: "AbortError" });
    assert.deepEqual(await upstream.saw(1), [{ path: "/set", body: "hello", whole: true }]);
    assert.equal(proxy.openSockets, 1);
    abort.abort();
    await lost;
  });

  for (const [direction, reaches] of [
    ["up", 0],
    ["both", 0],
    ["down", 1],
  ] as const) {
    it(`is a black hole ${direction}, and tells neither side`, async () => {
      withFault({ kind: "black-hole", direction });
      const abort = new AbortController();
      const lost = assert.rejects(
        start("/set", "hello", abort.signal).then((answer) => text(answer)),
      );
      await proxy.reached("/set");
      await upstream.saw(reaches);
      assert.equal(proxy.openSockets, 1);
      abort.abort();
      await lost;
      assert.equal(upstream.seen.length, reaches);
    });
  }

  it("is a black hole after some bytes of an answer", async () => {
    withFault({ kind: "black-hole", direction: "down", afterBytes: 10 });
    const abort = new AbortController();
    const answer = await start("/", "", abort.signal);
    let received = "";
    for await (const part of answer.iterator({ destroyOnReturn: false })) {
      received += String(part);
      if (received.length >= 10) break;
    }
    assert.equal(received, LINES.slice(0, 10));
    const lost = once(answer, "error") as Promise<[Error]>;
    abort.abort();
    assert.match((await lost)[0].message, /abort/);
  });

  it("answers itself, with any status, and the server hears nothing", async () => {
    for (const [status, headers, body] of [
      [302, { location: "http://127.0.0.1:1/" }, ""],
      [401, {}, '{"error":{}}'],
      [429, { "retry-after": "2" }, ""],
      [503, { "content-type": "text/html" }, "<h1>Service Unavailable</h1>"],
      [200, { "content-type": "text/html" }, "<p>Please sign in</p>"],
    ] as const) {
      withFault({ kind: "answer", status, headers, body });
      const answer = await start("/set", "hello");
      assert.equal(answer.statusCode, status);
      for (const [name, value] of Object.entries(headers))
        assert.equal(answer.headers[name], value);
      assert.equal(await text(answer), body);
    }
    assert.equal(upstream.seen.length, 0);
    assert.equal(proxy.connectionCount, 1);
  });

  it("closes idle connections and no others", async () => {
    const barrier = new Barrier();
    const other = new Agent({ keepAlive: true });
    try {
      assert.equal(await post("/idle"), LINES);
      withFault({ kind: "hold", until: barrier.passed }, "/busy");
      const outgoing = request(`${proxy.origin}/busy`, { agent: other }).end();
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      const [idle] = Object.values(agent.freeSockets).flat();
      assert.ok(idle);
      const closed = once(idle, "close");
      assert.equal(proxy.closeIdle(), 1);
      await closed;
      barrier.open();
      assert.equal(await text(answer), LINES);
      assert.equal(await post("/idle"), LINES);
      assert.equal(proxy.connectionCount, 3);
    } finally {
      other.destroy();
    }
  });

  it("resets the client where the server cannot be reached", async () => {
    await using alone = await FaultProxy.before(1);
    const outgoing = request(`${alone.origin}/`).end();
    const [error] = (await once(outgoing, "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNRESET");
  });

  it("leaves no connection to the server when the client goes", async () => {
    withFault({ kind: "swallow" });
    const abort = new AbortController();
    const lost = assert.rejects(start("/set", "", abort.signal));
    await upstream.saw(1);
    const [socket] = upstream.sockets;
    assert.ok(socket);
    const closed = once(socket, "close");
    abort.abort();
    await lost;
    await closed;
    assert.equal(upstream.sockets.size, 0);
  });

  it("says at its end what it could not pass on", async () => {
    proxy.plan = () => {
      throw new Error("a plan gone wrong");
    };
    await assert.rejects(post(), { code: "ECONNRESET" });
    await assert.rejects(proxy.close(), AggregateError);
  });
});
