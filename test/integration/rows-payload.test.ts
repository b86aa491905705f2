import assert from "node:assert/strict";
import type { Item, XrtcError } from "../../src/index.js";
import type { Transport } from "../../src/transport/transport.js";
import { UndiciTransport } from "../../src/transport/undici-transport.js";
import { faultStage } from "../support/fault-stage.js";
import { rawService } from "../support/raw-service.js";
import { reset } from "../support/reset.js";
import { scaledClock } from "../support/scaled-clock.js";
import { startService, take } from "../support/service.js";

const item = (payload: unknown, more: object = {}): object => ({
  portalid: "p",
  payload,
  servertimestamp: 1_700_000_000_000,
  ...more,
});
const doc = (...items: readonly unknown[]): string => JSON.stringify({ items });

interface Received {
  readonly items: readonly Item[];
  readonly errors: readonly XrtcError[];
}

/** What a client makes of one whole answer, given to it in these chunks. */
async function receive(chunks: readonly (string | Uint8Array)[]): Promise<Received> {
  await using raw = await rawService(({ call }, response) => {
    if (call !== "get") return;
    response.writeHead(200);
    for (const chunk of chunks) response.write(chunk);
    response.end();
  });
  const items: Item[] = [];
  const errors: XrtcError[] = [];
  const onMalformed = (error: XrtcError): void => void errors.push(error);
  const got = raw.client().getItems({ portals: ["p"], mode: "stream", onMalformed });
  for await (const each of got) items.push(each);
  return { items, errors };
}

const payloadsOf = ({ items }: Received): string[] => items.map(({ payload }) => payload);

describe("Payloads", () => {
  const [one, two] = [doc(item("1")), doc(item("2"))];
  const WAYS: Readonly<Record<string, readonly string[]>> = {
    "a newline after each": [`${one}\n`, `${two}\n`],
    "a newline before each": [`\n${one}`, `\n${two}`],
    "no newline at the end": [`${one}\n`, two],
    CRLF: [`${one}\r\n`, `${two}\r\n`],
    "blank lines all over": [`\n\r\n${one}\n\n`, `\r\n \n${two}\n\r\n\n`],
    "both in one chunk": [`${one}\n${two}\n`],
    "a chunk for each byte": `${one}\r\n${two}`.split(""),
  };
  for (const [name, chunks] of Object.entries(WAYS)) {
    it(`P1: documents with ${name} bring the same items`, async () => {
      assert.deepEqual(payloadsOf(await receive(chunks)), ["1", "2"]);
    });
  }

  it("P2: nothing, null, an empty list, unknown members and a byte order mark are tolerated", async () => {
    const documents = [
      "\ufeff{}",
      '{"items":null}',
      '{"items":[]}',
      JSON.stringify({ more: { a: [1] }, items: [item("x", { more: null })], also: 1 }),
      `\ufeff${doc(item("y"))}`,
    ];
    const { items, errors } = await receive([`${documents.join("\n")}\n`]);
    assert.deepEqual([items.map(({ payload }) => payload), errors], [["x", "y"], []]);
    assert.deepEqual(Object.keys(items[0] ?? {}), ["portalId", "payload", "serverTimestamp"]);
  });

  it("P3: an item without a portal, with a timestamp that is none or an object as payload is reported, and its neighbours are delivered", async () => {
    const bad = [
      { payload: "x", servertimestamp: 1 },
      item("x", { servertimestamp: "1700000000000" }),
      item("x", { servertimestamp: 1.5 }),
      item({ a: 1 }),
      null,
      [],
    ];
    const received = await receive([`${doc(item("before"), ...bad, item("after"))}\n`]);
    assert.deepEqual(payloadsOf(received), ["before", "after"]);
    assert.equal(received.errors.length, bad.length);
    for (const { code } of received.errors) assert.equal(code, "XRTC_ITEM_MALFORMED");
  });

  it("P6: no prototype changes, whatever members come at whatever level", async () => {
    const evil =
      '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":1';
    const inItem = `{${evil},"portalid":"p","payload":"{${evil.replaceAll('"', '\\"')}}","servertimestamp":1}`;
    const { items, errors } = await receive([
      `{${evil},"items":[${inItem},{"__proto__":${inItem}}]}\n`,
    ]);
    assert.equal(items.length, 1);
    assert.equal(errors.length, 1);
    for (const object of [items[0] ?? assert.fail(), {}, [], () => undefined]) {
      assert.equal("polluted" in object, false);
    }
    assert.equal(Object.getPrototypeOf(items[0]), Object.prototype);
  });

  it("P7: a line that comes twice is delivered once", async () => {
    await using on = await faultStage();
    on.proxy.plan = ({ path }) =>
      path.endsWith("/get") ? { kind: "duplicate-line", line: 0 } : undefined;
    const taking = take(on.client.subscribe({ portals: ["p"], start: "all" }), 3);
    for (const payload of ["1", "2", "3"]) await on.set(payload);
    assert.deepEqual(
      (await taking).map(({ payload }) => payload),
      ["1", "2", "3"],
    );
  });

  it("P7: two equal payloads of one millisecond, of two sets, are both delivered, and a replay of them is not", async () => {
    let turns = 0;
    const same = `${doc(item("same"))}\n`;
    await using raw = await rawService(({ call }, response) => {
      if (call !== "get") return;
      turns += 1;
      // Cut after both; the replay brings them again, and then what is new.
      if (turns === 1) response.write(same + same, () => reset(response.socket));
      else
        response.end(`${same}${same}${doc(item("end", { servertimestamp: 1_700_000_000_001 }))}\n`);
    });
    const client = raw.client({ ports: { clock: scaledClock(20) } });
    const taken = await take(client.subscribe({ portals: ["p"], start: "all" }), 3);
    assert.deepEqual(
      taken.map(({ payload }) => payload),
      ["same", "same", "end"],
    );
  });

  it("P9: a backlog of 500 comes whole and in order through answers of 1 kB", async () => {
    await using service = await startService({
      preset: "hosted",
      limits: { ringItemsMax: 1_000, requestsPerSecondMax: 10_000 },
    });
    const network = new UndiciTransport();
    const answers: string[] = [];
    const transport: Transport = {
      post: async (request) => {
        const response = await network.post(request);
        if (!request.url.endsWith("/get")) return response;
        return { ...response, body: overheard(response.body, answers) };
      },
      close: () => network.close(),
    };
    const client = service.client({
      limits: { requestBytesMax: 1_024, lineBytesMax: 1_024 },
      ports: { transport },
    });
    const payloads = Array.from({ length: 500 }, (_, at) => `${at} ${"ü".repeat(at % 300)}`);
    await Promise.all(payloads.map((payload) => client.setItems([{ portalId: "p", payload }])));
    const taken = await take(client.subscribe({ portals: ["p"], start: "all" }), 500);
    assert.deepEqual(
      taken.map(({ payload }) => payload),
      payloads,
    );
    const sizes = answers.map((line) => Buffer.byteLength(line) + 1);
    assert.ok(sizes.length > 100, `${sizes.length} documents`);
    assert.ok(Math.max(...sizes) <= 1_024, `${Math.max(...sizes)} bytes`);
  });
});

/** A body as it is, and its lines for a test to look at. */
async function* overheard(
  body: AsyncIterable<Uint8Array>,
  lines: string[],
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    yield chunk;
  }
}
