/**
 * The requests of the service's own Python SDK, as its two clients put them on the wire: `XRTC` with requests 2.28 and
 * `AXRTC` with aiohttp 3.8, recorded from version 0.1.5. Answers must keep to what those clients can read.
 */

import { strict as assert } from "node:assert";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";
import { needsRedis, RedisServer } from "../support/redis.js";
import { Inbox, MessageReader, responseFraming, statusOf } from "../support/http-framing.js";

const ACCOUNT_ID = "AC0987654321012345";
const API_KEY = "x".repeat(32);

/** Bytes of a line, or of a whole answer, beyond which the SDK passes it over. */
const READABLE_BYTES_MAX = 65_536;

/** How one of the clients writes a request. */
interface Style {
  readonly name: string;
  head(path: string, host: string, length: number, cookies: ReadonlyMap<string, string>): string[];
  /** Whether the head goes out before the body, in a packet of its own. */
  readonly isHeadFirst: boolean;
  /** The documents in an answer, as the client finds them. */
  documents(text: string): readonly unknown[];
}

const cookieLine = (pairs: readonly (readonly [string, string])[]): string[] =>
  pairs.length === 0
    ? []
    : [`Cookie: ${pairs.map(([name, value]) => `${name}=${value}`).join("; ")}`];

const REQUESTS: Style = {
  name: "XRTC, with requests",
  head: (path, host, length, cookies) => [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: python-requests/2.28.1",
    "Accept-Encoding: gzip, deflate",
    "Accept: */*",
    "Connection: keep-alive",
    ...cookieLine([...cookies]),
    `Content-Length: ${length}`,
  ],
  isHeadFirst: true,
  // The whole text is parsed as one document: a stream with several lines is beyond this client.
  documents(text) {
    assert.ok(text.length > 0 && text.length <= READABLE_BYTES_MAX, `${text.length} characters`);
    return [JSON.parse(text) as unknown];
  },
};

const AIOHTTP: Style = {
  name: "AXRTC, with aiohttp",
  head: (path, host, length, cookies) => [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Accept: */*",
    "Accept-Encoding: gzip, deflate",
    "User-Agent: Python/3.11 aiohttp/3.8.4",
    ...cookieLine([...cookies].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    `Content-Length: ${length}`,
    "Content-Type: text/plain; charset=utf-8",
  ],
  isHeadFirst: false,
  // Line by line, each with its newline; a blank one is no document, and the client fails.
  documents: (text) =>
    text.split(/(?<=\n)/).map((line) => {
      assert.ok(Buffer.byteLength(line) <= READABLE_BYTES_MAX, `${line.length} characters`);
      return JSON.parse(line) as unknown;
    }),
};

/** JSON as Python's json.dumps writes it: with spaces, and in ASCII alone. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `"${key}": ${pythonJson(member)}`);
    return `{${members.join(", ")}}`;
  }
  return JSON.stringify(value).replace(
    /[\u0080-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** One connection of a client, kept for all its requests, with the cookies that a Python client would keep. */
class PythonClient {
  readonly cookies = new Map<string, string>();
  readonly #socket: Socket;
  readonly #reader: MessageReader;

  private constructor(
    readonly style: Style,
    readonly host: string,
    socket: Socket,
  ) {
    this.#socket = socket;
    this.#reader = new MessageReader(new Inbox(socket));
  }

  static async open(style: Style, server: XrtcServer): Promise<PythonClient> {
    const { port } = new URL(server.url);
    // By name: for a bare address aiohttp keeps no cookies.
    const socket = connect({ host: "localhost", port: Number(port), family: 4, noDelay: true });
    await once(socket, "connect");
    return new PythonClient(style, `localhost:${port}`, socket);
  }

  async post(path: string, body: string): Promise<Answer> {
    const head = this.style.head(path, this.host, body.length, this.cookies);
    const text = `${head.join("\r\n")}\r\n\r\n`;
    if (this.style.isHeadFirst) {
      this.#socket.write(text);
      await new Promise(setImmediate);
      this.#socket.write(body);
    } else {
      this.#socket.write(text + body);
    }
    return this.#read();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What the SDK makes of an answer to a get. */
  async get(request: object): Promise<readonly { portalid: string; payload: string }[]> {
    const answer = await this.post("/v1/item/get", pythonJson(request));
    assert.equal(answer.status, 200, answer.text);
    return this.style.documents(answer.text).flatMap((document) => {
      const { items = [] } = document as { items?: { portalid: string; payload: string }[] };
      return items;
    });
  }

  async set(...items: readonly object[]): Promise<void> {
    const answer = await this.post("/v1/item/set", pythonJson({ items }));
    assert.equal(answer.status, 200, answer.text);
  }

  async login(): Promise<Answer> {
    const credentials = { accountid: ACCOUNT_ID, apikey: API_KEY };
    return this.post("/v1/auth/login", pythonJson(credentials));
  }

  async #read(): Promise<Answer> {
    const head = await this.#reader.head();
    assert.ok(head !== undefined, "the connection stays open");
    for (const line of head.lines) if (/^set-cookie:/i.test(line)) this.#keep(line);
    const parts: Buffer[] = [];
    for await (const part of this.#reader.body(responseFraming(head, "POST"))) parts.push(part);
    return {
      status: statusOf(head),
      headers: head.headers,
      text: Buffer.concat(parts).toString("utf8"),
    };
  }

  /** As Python's cookie jars do over plain HTTP: what is Secure, or of another domain or path, is not sent back. */
  #keep(line: string): void {
    const [pair = "", ...attributes] = line.replace(/^set-cookie:\s*/i, "").split(/;\s*/);
    const names = attributes.map((attribute) => attribute.toLowerCase());
    assert.ok(!names.includes("secure"), line);
    assert.ok(!names.some((name) => name.startsWith("domain=")), line);
    const path = names.find((name) => name.startsWith("path="))?.slice("path=".length) ?? "/";
    assert.ok("/v1/item/get".startsWith(path), line);
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    // Python would put other characters into quotes, and send them back so.
    assert.match(value, /^[\w.-]+$/);
    this.cookies.set(name, value);
  }
}

const payloadsOf = (items: readonly { readonly payload: string }[]): readonly string[] =>
  items.map(({ payload }) => payload);

const reasonOf = ({ text }: Answer): string =>
  (JSON.parse(text) as { error: { errormessage: string } }).error.errormessage;

/** Where the servers of the tests keep what they have. */
type Engine = () => Partial<XrtcServerOptions>;

async function withClient(
  style: Style,
  options: Partial<XrtcServerOptions>,
  run: (client: PythonClient, server: XrtcServer) => Promise<void>,
): Promise<void> {
  const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
  await using server = new XrtcServer({ port: 0, accounts, ...options });
  await server.listen();
  const client = await PythonClient.open(style, server);
  try {
    const { status, text } = await client.login();
    assert.equal(status, 200, text);
    assert.match(text, /^\{"servertimestamp":\d+/);
    assert.deepEqual([...client.cookies.keys()], ["JSESSIONID", "AWSALBAPP-0"]);
    await run(client, server);
  } finally {
    client.close();
  }
}

function describeClient(style: Style, engine: Engine): void {
  describe(`${style.name},`, () => {
    const [portalid, portals] = ["exampleportal", [{ portalid: "exampleportal" }]];

    it("sets, gets and lists over one connection", async () => {
      await withClient(style, engine(), async (client) => {
        const payload = 'sämple 漢字 🧪 "quoted" \\ \u0001\u2028';
        await client.set({ portalid, payload });
        const [item, ...more] = await client.get({ portals });
        assert.deepEqual(more, []);
        assert.equal(item?.payload, payload);
        assert.deepEqual(await client.get({ portals }), []);
        assert.deepEqual(payloadsOf(await client.get({ portals: [] })), [payload]);
        assert.deepEqual(payloadsOf(await client.get({ portals: null })), [payload]);
      });
    });

    it("may put a timestamp into an item and into a portal", async () => {
      await withClient(style, engine(), async (client) => {
        await client.set({ portalid, payload: "one", servertimestamp: 5 });
        await client.get({ portals });
        const again = { portals: [{ portalid, servertimestamp: 5 }], schedule: "FIFO" };
        assert.deepEqual(payloadsOf(await client.get(again)), ["one"]);
        assert.deepEqual(await client.get({ portals: [{ portalid, servertimestamp: 0 }] }), []);
      });
    });

    it("leaves defaults out, and names what is not one", async () => {
      await withClient(style, { ...engine(), limits: { getTimeoutMs: 100 } }, async (client) => {
        const requests = [
          { portals, mode: "watch" },
          { portals, mode: "stream", cutoff: 500 },
          { portals, schedule: "FIFO" },
          { portals, mode: "watch", schedule: "FIFO", cutoff: 0 },
        ];
        for (const request of requests) assert.deepEqual(await client.get(request), []);
        await client.set({ portalid, payload: "old" }, { portalid, payload: "new" });
        assert.deepEqual(payloadsOf(await client.get({ portals, mode: "watch" })), ["new", "old"]);
      });
    });

    it("reads why a call was refused, and that its session ended", async () => {
      await withClient(style, engine(), async (client) => {
        const refused = await client.post(
          "/v1/item/set",
          pythonJson({ items: [{ portalid: "a b", payload: "x" }] }),
        );
        assert.equal(refused.status, 400);
        assert.match(reasonOf(refused), /portal id/);
        const again = await client.login();
        assert.equal(again.status, 400);
        assert.notEqual(reasonOf(again), "");
        client.cookies.clear();
        const denied = await client.post("/v1/item/get", pythonJson({ portals }));
        assert.equal(denied.status, 401);
        assert.notEqual(reasonOf(denied), "");
      });
    });

    it("gets whatever it may set in answers that it can read", async () => {
      await withClient(style, engine(), async (client) => {
        // The largest request that the SDK makes.
        const room = READABLE_BYTES_MAX - pythonJson({ items: [{ portalid, payload: "" }] }).length;
        const large = { portalid, payload: "x".repeat(room) };
        const refused = await client.post("/v1/item/set", pythonJson({ items: [large] }));
        // It would be longer on its way back than the SDK reads.
        assert.equal(refused.status, 400, refused.text);
        const payloads = Array.from({ length: 12 }, (_, at) => `${at}`.padEnd(25_000, "."));
        for (const payload of payloads) await client.set({ portalid, payload });
        const got: string[] = [];
        for (let times = 0; got.length < payloads.length && times < payloads.length; times += 1) {
          got.push(...payloadsOf(await client.get({ portals, schedule: "FIFO" })));
        }
        assert.deepEqual(got, payloads);
      });
    });
  });
}

function describeStreams(engine: Engine): void {
  describe(`${AIOHTTP.name}, in streams and lists,`, () => {
    const portals = [{ portalid: "latency" }];

    it("streams in turns what another connection sets, in order and whole", async () => {
      await withClient(
        AIOHTTP,
        { ...engine(), limits: { getTimeoutMs: 150 } },
        async (client, server) => {
          const writer = await PythonClient.open(AIOHTTP, server);
          for (const [name, value] of client.cookies) writer.cookies.set(name, value);
          const payloads = Array.from({ length: 40 }, (_, at) =>
            JSON.stringify({ n: at, pad: "ü" }),
          );
          const writing = (async () => {
            for (const payload of payloads) await writer.set({ portalid: "latency", payload });
          })();
          const got: string[] = [];
          const request = { portals, mode: "stream", schedule: "FIFO", cutoff: 60_000 };
          while (got.length < payloads.length) got.push(...payloadsOf(await client.get(request)));
          await writing;
          writer.close();
          assert.deepEqual(got, payloads);
          assert.deepEqual(await client.get({ portals, schedule: "FIFO" }), []);
        },
      );
    });

    it("reads a list of portals that takes several lines", async () => {
      await withClient(AIOHTTP, engine(), async (client) => {
        const names = Array.from({ length: 12 }, (_, at) => `P${at}`);
        for (const portalid of names) await client.set({ portalid, payload: "x".repeat(20_000) });
        const listed = await client.get({ portals: [] });
        assert.deepEqual(new Set(listed.map(({ portalid }) => portalid)), new Set(names));
      });
    });
  });
}

const inMemory: Engine = () => ({});

describe("The service's Python SDK, on the memory engine:", () => {
  describeClient(REQUESTS, inMemory);
  describeClient(AIOHTTP, inMemory);
  describeStreams(inMemory);
});

describe("The service's Python SDK, on the Redis engine:", () => {
  let redis: RedisServer | undefined;
  let count = 0;

  before(async function () {
    needsRedis(this);
    redis = await RedisServer.start();
  });

  after(() => redis?.[Symbol.asyncDispose]());

  // Each test begins with nothing.
  const engine: Engine = () => {
    count += 1;
    return { engine: redis?.url ?? "", enginePrefix: `sdk${count}` };
  };
  describeClient(REQUESTS, engine);
  describeClient(AIOHTTP, engine);
  describeStreams(engine);
});
