import assert from "node:assert/strict";
import { systemClock } from "../../src/index.js";
import { XrtcServer } from "../../src/server/index.js";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { catchAll, config, credentials, input, out, sink, tab } from "./flows.js";
import { badge, errors, type Message, node, start, stop, taken, untaken } from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const payloadsOf = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

const items = (...payloads: string[]) => payloads.map((payload) => ({ portalId: "hall", payload }));

/** JSON that is nested so deeply. */
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("what an xrtc-in makes of items", () => {
  afterEach(stop);

  it("takes whole messages apart, and never lets one reach into Node-RED", async () => {
    await using service = await startService(oftenLogins);
    const reader = input("i1", "hall", { output: "message" });
    await start([tab, config(service.baseUrl), reader, sink("k1"), ...catchAll], credentials);
    await badge("i1", connected);
    const whole = {
      topic: "zigbee2mqtt/lamp",
      payload: { $buffer: "AQL6" },
      retain: true,
      req: { url: "http://elsewhere" },
      _msgid: "mine",
      portalid: "other",
    };
    const text = JSON.stringify(whole).replace("{", '{"__proto__":{"bad":1},');
    await service.client().setItems(items(text));
    const [message] = await taken("k1", 1);
    assert.deepEqual(message?.["payload"], Buffer.from([1, 2, 250]));
    assert.deepEqual(
      ["topic", "retain", "portalid", "req", "bad"].map((name) => message?.[name]),
      ["zigbee2mqtt/lamp", true, "hall", undefined, undefined],
    );
    assert.notEqual(message?.["_msgid"], "mine");
  });

  it("brings what does not fit as an error with its text, or as the text, and goes on (R12)", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall", { output: "json" }),
      input("i2", "hall", { output: "json", malformed: "raw" }),
      input("i3", "hall"),
      ...["k1", "k2", "k3"].map(sink),
      ...catchAll,
    ];
    await start(flow, credentials);
    await Promise.all(["i1", "i2", "i3"].map((id) => badge(id, connected)));
    const deep = nested(5_000);
    await service.client().setItems(items("1", deep, "{broken", "2"));
    assert.deepEqual(payloadsOf(await taken("k1", 2)), [1, 2]);
    assert.deepEqual(payloadsOf(await taken("k2", 4)), [1, deep, "{broken", 2]);
    assert.deepEqual(payloadsOf(await taken("k3", 4)), [1, deep, "{broken", 2]);
    const caught = (await taken("caught", 2)) as Caught[];
    assert.deepEqual(
      caught.map(({ error }) => error.code),
      ["XRTC_ITEM_MALFORMED", "XRTC_ITEM_MALFORMED"],
    );
    assert.deepEqual(payloadsOf(caught), [deep, "{broken"]);
    assert.ok(caught.every(({ error }) => !error.message.includes("broken")));
  });

  it("gives each of several nodes a Buffer of its own", async () => {
    await using service = await startService(oftenLogins);
    const buffer = { output: "buffer" };
    const readers = [input("i1", "hall", buffer), input("i2", "hall", buffer)];
    await start([tab, config(service.baseUrl), ...readers, sink("k1"), sink("k2")], credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await service.client().setItems(items("AQL6"));
    const both = (await Promise.all([taken("k1", 1), taken("k2", 1)])).flat();
    const [one, two] = payloadsOf(both) as Buffer[];
    one?.fill(99);
    assert.deepEqual(two, Buffer.from([1, 2, 250]));
  });

  it("goes on reading when a node behind it throws (R7)", async () => {
    await using service = await startService(oftenLogins);
    const failing = { ...sink("k1"), fails: true };
    const flow = [tab, config(service.baseUrl), input("i1", "hall"), failing, ...catchAll];
    await start(flow, credentials);
    await badge("i1", connected);
    await service.client().setItems(items("1", "2", "3"));
    assert.deepEqual(payloadsOf(await taken("k1", 3)), [1, 2, 3]);
    assert.equal((await taken("caught", 3)).length, 3);
    assert.equal(errors("i1").length, 0);
  });

  it("tells the latency by the server's clock, however wrong that is", async () => {
    const anHour = 3_600_000;
    const clock = { ...systemClock, wallNow: () => systemClock.wallNow() - anHour };
    await using service = await startService({ ...oftenLogins, clock });
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), input("i1", "hall")];
    await start([...flow, sink("k1")], credentials);
    await badge("i1", connected);
    node("o1").receive({ payload: 1 });
    const [message] = await taken("k1", 1);
    const latency = message?.["latency"];
    assert.ok(typeof latency === "number" && latency >= 0 && latency < anHour / 2, String(latency));
  });

  it("tells of a gap on its second output, and only there", async () => {
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
    const first = new XrtcServer({ port: 0, accounts });
    const baseUrl = await first.listen();
    const port = Number(new URL(baseUrl).port);
    const second = new XrtcServer({ port, accounts });
    const reader = input("i1", "hall", { gaps: true, outputs: 2, wires: [["k1"], ["gaps"]] });
    try {
      const flow = [
        tab,
        config(baseUrl),
        out({ portal: "hall" }),
        reader,
        sink("k1"),
        sink("gaps"),
      ];
      await start([...flow, ...catchAll], credentials);
      await badge("i1", connected);
      node("o1").receive({ payload: "before" });
      const [before] = await taken("k1", 1);
      await first.close();
      await badge("i1", { fill: "red", shape: "ring" });
      await second.listen();
      await badge("i1", connected);
      node("o1").receive({ payload: "after" });
      const [gap] = await taken("gaps", 1);
      assert.equal(gap?.["topic"], "hall");
      const { after: _after, ...told } = { ...(gap?.["payload"] as object | undefined) } as Message;
      assert.deepEqual(told, {
        portalid: "hall",
        reason: "epoch",
        before: { servertimestamp: before?.["servertimestamp"], seq: 1 },
      });
      assert.deepEqual(payloadsOf(await taken("k1", 1)), ["after"]);
      assert.equal(untaken("gaps") + untaken("caught"), 0);
    } finally {
      await stop();
      await first.close();
      await second.close();
    }
  });
});

describe("when an xrtc-in asks", () => {
  afterEach(stop);

  it("begins with what was set since a time", async () => {
    let now = Date.UTC(2026, 0, 31, 11, 59, 59);
    const clock = { ...systemClock, wallNow: () => now };
    await using service = await startService({ ...oftenLogins, clock });
    const client = service.client();
    await client.setItems(items("old"));
    now += 1_000;
    await client.setItems(items("first"));
    await client.setItems(items("second"));
    const reader = input("i1", "hall", { start: "since", since: "2026-01-31T12:00:00Z" });
    await start([tab, config(service.baseUrl), reader, sink("k1")], credentials);
    assert.deepEqual(payloadsOf(await taken("k1", 2)), ["first", "second"]);
  });

  it("probes in its time, brings each item once, and holds no request open meanwhile", async () => {
    await using service = await startService(oftenLogins);
    await service.client().setItems(items("before"));
    const reader = input("i1", "hall", { mode: "probe", probeSeconds: 1, output: "string" });
    await start([tab, config(service.baseUrl), reader, sink("k1"), out()], credentials);
    await badge("i1", connected);
    for (const payload of ["one", "two"]) {
      node("o1").receive({ topic: "hall", payload });
      assert.deepEqual(payloadsOf(await taken("k1", 1)), [payload]);
      assert.equal(service.server.stats.waitingGets, 0);
    }
    assert.equal(untaken("k1"), 0);
  });
});
