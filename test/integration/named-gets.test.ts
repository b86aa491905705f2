import { strict as assert } from "node:assert";
import {
  isXrtcError,
  type Gap,
  type GetItemsOptions,
  type Item,
  type XrtcClient,
} from "../../src/index.js";
import type { XrtcServerOptions } from "../../src/server/index.js";
import { grownOld, reached, startService, take } from "../support/service.js";

/** What a get with a name brings. */
async function got(
  client: XrtcClient,
  name: string,
  options: Partial<GetItemsOptions> = {},
): Promise<string[]> {
  const payloads: string[] = [];
  const wish = { portals: ["p"], schedule: "FIFO", ...options, name } as const;
  for await (const { payload } of client.getItems(wish)) payloads.push(payload);
  return payloads;
}

const set = (client: XrtcClient, ...payloads: readonly string[]): Promise<unknown> =>
  client.setItems(payloads.map((payload) => ({ portalId: "p", payload })));

const payloadsOf = (items: readonly Item[]): string[] => items.map(({ payload }) => payload);

const rejected = (code: string) => (error: unknown) => isXrtcError(error) && error.code === code;

/** Servers that number their items, and servers that do not, as the hosted one. */
const SERVERS: Readonly<Record<string, Partial<XrtcServerOptions>>> = {
  "where items are numbered": { limits: { loginIntervalMsMin: 0 } },
  "where they are not": {
    extensions: { seq: false, idempotency: false, order: false },
    limits: { loginIntervalMsMin: 0 },
  },
};

for (const [where, options] of Object.entries(SERVERS)) {
  describe(`A get with a name, ${where},`, () => {
    it("brings what is new since the last one of its name, whoever else got it", async () => {
      await using service = await startService(options);
      const client = service.client();
      await set(client, "1", "2");
      assert.deepEqual(await got(client, "a"), ["1", "2"]);
      assert.deepEqual(await got(client, "a"), []);
      assert.deepEqual(await got(client, "b"), ["1", "2"]);
      await set(client, "3");
      assert.equal((await take(client.getItems({ portals: ["p"] }), 1))[0]?.payload, "3");
      assert.deepEqual(await got(client, "b"), ["3"]);
      assert.deepEqual(await got(client, "a", { schedule: "LIFO" }), ["3"]);
      await set(client, "4", "5");
      assert.deepEqual(await got(client, "b", { schedule: "LIFO" }), ["5", "4"]);
      assert.deepEqual(await got(client, "a"), ["4", "5"]);
    });

    it("costs one request as long as nobody else moves the position", async () => {
      await using service = await startService(options);
      const client = service.client();
      await set(client, "1");
      await got(client, "a");
      const before = service.server.stats.requests;
      assert.deepEqual(await got(client, "a"), []);
      await set(client, "2");
      assert.deepEqual(await got(client, "a"), ["2"]);
      assert.equal(service.server.stats.requests, before + 3);
    });

    it("brings nothing again under another session", async () => {
      await using service = await startService({
        ...options,
        secondLogin: "end",
      });
      const client = service.client({ limits: { loginIntervalMsMin: 0 } });
      await set(client, "1", "2");
      assert.deepEqual(await got(client, "a"), ["1", "2"]);
      const other = service.client();
      await other.open();
      await set(other, "3");
      assert.deepEqual(await got(client, "a"), ["3"]);
    });

    it("brings a set that takes several answers, item for item", async () => {
      await using service = await startService({
        ...options,
        limits: { ...options.limits, lineItemsMax: 3 },
      });
      const client = service.client();
      const payloads = Array.from({ length: 20 }, (_, index) => String(index));
      await set(client, ...payloads);
      const all: string[] = [];
      for (;;) {
        const some = await got(client, "a");
        if (some.length === 0) break;
        all.push(...some);
        // Somebody else's get in between moves the session's position.
        await take(client.getItems({ portals: ["p"], schedule: "LIFO" }), 100);
      }
      assert.deepEqual(all, payloads);
    });

    it("of a portal that is streamed brings the newest item, then what has come since, and the stream loses nothing", async () => {
      await using service = await startService(options);
      const client = service.client();
      await set(client, "1", "2");
      await grownOld();
      const reader = client.subscribe({ portals: ["p"] });
      const items = reader[Symbol.asyncIterator]();
      await reader.ready();
      assert.deepEqual(await got(client, "a"), ["2"]);
      assert.deepEqual(await got(client, "a"), []);
      const streamed: (string | undefined)[] = [];
      for (const payload of ["3", "4", "5"]) {
        await set(client, payload);
        streamed.push((await items.next()).value?.payload);
      }
      assert.deepEqual(streamed, ["3", "4", "5"]);
      assert.deepEqual(await got(client, "a"), ["3", "4", "5"]);
      assert.deepEqual(await got(client, "b", { schedule: "LIFO" }), ["5"]);
      await set(client, "6", "7");
      assert.deepEqual(
        [(await items.next()).value?.payload, (await items.next()).value?.payload],
        ["6", "7"],
      );
      assert.deepEqual(await got(client, "a", { schedule: "LIFO" }), ["7", "6"]);
      assert.deepEqual(await got(client, "b"), ["6", "7"]);
    });

    it("of a portal that is streamed sends no request but the first", async () => {
      await using service = await startService(options);
      const client = service.client();
      const reader = client.subscribe({ portals: ["p"] });
      const items = reader[Symbol.asyncIterator]();
      await reader.ready();
      assert.deepEqual(await got(client, "a"), []);
      await set(client, "1");
      assert.equal((await items.next()).value?.payload, "1");
      const before = service.server.stats.requests;
      assert.deepEqual(await got(client, "a"), ["1"]);
      assert.deepEqual(await got(client, "a"), []);
      assert.equal(service.server.stats.requests, before);
    });

    it("of a portal that others only probe now and then brings what came since their last probe", async () => {
      await using service = await startService(options);
      const client = service.client();
      await set(client, "1");
      await grownOld();
      const reader = client.subscribe({ portals: ["p"], mode: "probe", probeMs: 86_400_000 });
      const items = reader[Symbol.asyncIterator]();
      await reader.ready();
      assert.deepEqual(await got(client, "a"), ["1"]);
      await set(client, "2");
      assert.deepEqual(await got(client, "a"), ["2"]);
      assert.equal((await items.next()).value?.payload, "2");
      assert.deepEqual(await got(client, "a"), []);
    });

    it("goes on without loss or repetition when the stream ends, and when another begins", async () => {
      await using service = await startService(options);
      const client = service.client();
      await set(client, "1");
      assert.deepEqual(await got(client, "a"), ["1"]);
      await grownOld();
      const reader = client.subscribe({ portals: ["p"] });
      await reader.ready();
      assert.deepEqual(await got(client, "a"), []);
      const items = reader[Symbol.asyncIterator]();
      await set(client, "2");
      await items.next();
      await reader.close();
      await set(client, "3");
      assert.deepEqual([...(await got(client, "a")), ...(await got(client, "a"))], ["2", "3"]);
      await grownOld();
      const again = client.subscribe({ portals: ["p"] });
      await again.ready();
      assert.deepEqual(await got(client, "a"), []);
      await set(client, "4");
      assert.equal((await again[Symbol.asyncIterator]().next()).value?.payload, "4");
      assert.deepEqual(await got(client, "a"), ["4"]);
    });

    it("waits for the next item of a portal that is streamed, and of one that is not", async () => {
      await using service = await startService(options);
      const client = service.client();
      const reader = client.subscribe({ portals: ["p"] });
      await reader.ready();
      const watching = got(client, "a", { mode: "watch" });
      await set(client, "1");
      assert.deepEqual(await watching, ["1"]);
      const other = got(client, "a", { portals: ["q"], mode: "watch" });
      await client.setItems([{ portalId: "q", payload: "2" }]);
      assert.deepEqual(await other, ["2"]);
      await set(client, "3");
      await take(reader, 2);
      await client.setItems([{ portalId: "q", payload: "4" }]);
      assert.deepEqual(await got(client, "a", { portals: ["p", "q"], mode: "watch" }), ["3", "4"]);
    });

    it("waits for its turn, and still brings what the one before it took", async () => {
      await using service = await startService(options);
      const client = service.client();
      const watching = ["a", "b", "c"].map((name) => got(client, name, { mode: "watch" }));
      await set(client, "1");
      assert.deepEqual(await Promise.all(watching), [["1"], ["1"], ["1"]]);
    });
  });
}

describe("A get with a name", () => {
  it("ends with nothing when nothing comes within the service's time", async () => {
    await using service = await startService({ limits: { getTimeoutMs: 100 } });
    const client = service.client({ limits: { getTimeoutMs: 100 } });
    assert.deepEqual(await got(client, "a", { mode: "watch" }), []);
    const reader = client.subscribe({ portals: ["p"] });
    await reader.ready();
    assert.deepEqual(await got(client, "a", { mode: "watch" }), []);
  });

  it("says why a stream brings nothing", async () => {
    const service = await startService({ limits: { loginIntervalMsMin: 0 } });
    const client = service.client({ limits: { loginIntervalMsMin: 0 } });
    const reader = client.subscribe({ portals: ["p"] });
    await reader.ready();
    assert.deepEqual(await got(client, "a"), []);
    const down = reached(reader.status, "waiting");
    await service.server.close();
    const { cause } = await down;
    await assert.rejects(got(client, "a"), (error: unknown) => error === cause);
    await assert.rejects(got(client, "a", { mode: "watch" }), (error: unknown) => error === cause);
    await service[Symbol.asyncDispose]();
  });

  it("is given up with its signal and with the client, while it waits for its turn and for an item", async () => {
    await using service = await startService();
    const client = service.client();
    const reader = client.subscribe({ portals: ["p"] });
    await reader.ready();
    const abort = new AbortController();
    const streamed = got(client, "a", { mode: "watch", signal: abort.signal });
    const asked = got(client, "a", { portals: ["q"], mode: "watch", signal: abort.signal });
    const waiting = got(client, "b", { portals: ["q"], mode: "watch", signal: abort.signal });
    const last = got(client, "c", { mode: "watch" });
    const reason = new Error("enough");
    abort.abort(reason);
    const outcomes = await Promise.allSettled([streamed, asked, waiting]);
    const given = { status: "rejected", reason };
    assert.deepEqual(outcomes, [given, given, given]);
    const ended = assert.rejects(last, rejected("XRTC_CLOSED"));
    await client.close();
    await ended;
  });

  it("keeps the newest thousand items of a stream for the one who gets them late", async () => {
    await using service = await startService();
    const client = service.client();
    const reader = client.subscribe({ portals: ["p"] });
    await reader.ready();
    assert.deepEqual(await got(client, "a"), []);
    const payloads = Array.from({ length: 1_200 }, (_, index) => String(index));
    const taking = take(reader, payloads.length);
    for (let at = 0; at < payloads.length; at += 100)
      await set(client, ...payloads.slice(at, at + 100));
    assert.deepEqual(payloadsOf(await taking), payloads);
    const gaps: Gap[] = [];
    const onGap = (gap: Gap): unknown => gaps.push(gap);
    assert.deepEqual(await got(client, "a", { onGap }), payloads.slice(200));
    assert.deepEqual(
      gaps.map(({ portalId, reason, missing, after }) => [portalId, reason, missing, after?.seq]),
      [["p", "queue", 200, 201]],
    );
    await set(client, "next");
    await take(reader, 1);
    assert.deepEqual(await got(client, "a", { onGap }), ["next"]);
    assert.equal(gaps.length, 1, "told once");
  });

  it("keeps no more than four million characters for the one who gets them late", async () => {
    await using service = await startService({ limits: { lineBytesMax: 2_000_000 } });
    const client = service.client({ limits: { lineBytesMax: 2_000_000 } });
    const reader = client.subscribe({ portals: ["p"] });
    const items = reader[Symbol.asyncIterator]();
    await reader.ready();
    assert.deepEqual(await got(client, "a"), []);
    for (const mark of ["1", "2", "3", "4", "5"]) {
      await set(client, mark.repeat(1_000_000));
      await items.next();
    }
    const kept = await got(client, "a");
    assert.deepEqual(
      kept.map(([mark]) => mark),
      ["2", "3", "4", "5"],
    );
  });

  it("is as the first of its name when the name was given up", async () => {
    await using service = await startService();
    const client = service.client();
    await set(client, "1");
    assert.deepEqual(await got(client, "a"), ["1"]);
    assert.deepEqual(await got(client, "ab"), ["1"]);
    client.forget("a");
    assert.deepEqual(await got(client, "a"), ["1"]);
    assert.deepEqual(await got(client, "ab"), []);
  });

  it("is a probe or a watch, and knows by itself from where on", async () => {
    await using service = await startService();
    const client = service.client();
    await assert.rejects(got(client, "a", { mode: "stream" }), rejected("XRTC_OPTIONS"));
    const portals = [{ portalId: "p", serverTimestamp: 1 }];
    await assert.rejects(got(client, "a", { portals }), rejected("XRTC_OPTIONS"));
  });
});
