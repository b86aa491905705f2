import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { FaultProxy } from "../support/fault-proxy.js";
import { startService, take } from "../support/service.js";
import { catchAll, complete, config, credentials, out, tab } from "./flows.js";
import {
  badge,
  errors,
  type Message,
  node,
  shared,
  start,
  stop,
  taken,
  untaken,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string; readonly source: object };
}

const caught = async (count: number): Promise<Caught[]> =>
  (await taken("caught", count)) as Caught[];

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

describe("xrtc-out", () => {
  afterEach(stop);

  it("completes a message when the service holds the item, with the service's time in it", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    node("o1").receive({ payload: "warm" });
    const [completed] = await taken("completed", 1);
    const [item] = await take(service.client().getItems({ portals: ["hall"] }), 1);
    assert.equal(item?.payload, "warm");
    assert.equal(completed?.["servertimestamp"], item?.serverTimestamp);
    await badge("o1", { fill: "green", shape: "dot", text: "node-red:common.status.connected" });
  });

  it("sets text as it is, a Buffer as Base64, anything else as JSON, in the order of the messages", async () => {
    await using service = await startService(oftenLogins);
    await start([tab, config(service.baseUrl), out(), ...complete("o1")], credentials);
    const payloads = ["plain", Buffer.from([1, 2, 250]), { a: [1] }, 7, null];
    for (const payload of payloads) node("o1").receive({ topic: "hall", payload });
    await taken("completed", payloads.length);
    const items = service.client().getItems({ portals: ["hall"], schedule: "FIFO" });
    assert.deepEqual(
      (await take(items, payloads.length)).map(({ payload }) => payload),
      ["plain", "AQL6", '{"a":[1]}', "7", "null"],
    );
  });

  it("sets all items of the array msg.items with one request", async () => {
    await using service = await startService(oftenLogins);
    await start([tab, config(service.baseUrl), out(), ...complete("o1")], credentials);
    const items = [
      { portalid: "hall", payload: "a" },
      { portalid: "attic", payload: { b: 1 } },
    ];
    node("o1").receive({ items });
    await taken("completed", 1);
    assert.equal(service.server.stats.itemsSet, 2);
    assert.equal(service.server.stats.requests, 2, "a login and a set");
  });

  it("refuses bad messages without a request, each with its code to Catch, and goes on", async () => {
    await using service = await startService({ preset: "hosted", ...oftenLogins });
    const hosted = config(service.baseUrl, { limits: "hosted" });
    await start([tab, hosted, out(), ...catchAll, ...complete("o1")], credentials);
    node("o1").receive({ topic: "hall", payload: "x".repeat(2_000) });
    node("o1").receive({ topic: "front-door", payload: "x" });
    node("o1").receive({ payload: "x" });
    node("o1").receive({ topic: "hall" });
    node("o1").receive({ topic: "hall", payload: 10n });
    const all = await caught(5);
    assert.deepEqual(all.map(({ error }) => error.code).toSorted(), [
      "XRTC_PAYLOAD_INVALID",
      "XRTC_PAYLOAD_INVALID",
      "XRTC_PAYLOAD_TOO_LARGE",
      "XRTC_PORTAL_INVALID",
      "XRTC_PORTAL_MISSING",
    ]);
    assert.equal(service.server.stats.requests, 0);
    node("o1").receive({ topic: "hall", payload: "good" });
    await taken("completed", 1);
    assert.equal(service.server.stats.itemsSet, 1);
    assert.equal(untaken("caught"), 0);
  });

  it("with refused credentials fails each message once, with the service's words and code", async () => {
    await using service = await startService(oftenLogins);
    const wrong = { c1: { ...credentials["c1"], apiKey: "x".repeat(32) } };
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...catchAll];
    await start(flow, wrong);
    node("o1").receive({ payload: "x" });
    const [first] = await caught(1);
    assert.equal(first?.error.code, "XRTC_CREDENTIALS_REFUSED");
    assert.match(first?.error.message ?? "", /code 35/);
    const { text } = await badge("o1", { fill: "red", shape: "dot" });
    assert.ok(text !== undefined && first?.error.message.includes(text.slice(0, -1)), text);
    assert.equal(untaken("caught"), 0);
    assert.equal(service.server.stats.itemsSet, 0);
  });

  it("without a usable configuration says so on each message, sends nothing and does not throw", async () => {
    await using service = await startService(oftenLogins);
    const unset = { c1: { accountId: "${XRTC_TEST_UNSET}", apiKey: "${XRTC_TEST_UNSET_TOO}" } };
    const flow = [
      tab,
      config(service.baseUrl),
      out({ portal: "hall" }),
      out({ id: "o2", config: "nowhere", portal: "hall" }),
      out({ id: "o3", portal: "front-door" }),
      ...catchAll,
    ];
    await start(flow, unset);
    for (const id of ["o1", "o2", "o3"]) node(id).receive({ payload: "x" });
    const all = await caught(3);
    const byCode = new Map(all.map(({ error }) => [error.code, error.message]));
    assert.match(byCode.get("XRTC_CREDENTIALS_MISSING") ?? "", /XRTC_TEST_UNSET is not set/);
    assert.deepEqual(all.map(({ error }) => error.code).toSorted(), [
      "XRTC_CREDENTIALS_MISSING",
      "XRTC_OPTIONS",
      "XRTC_OPTIONS",
    ]);
    for (const id of ["o1", "o2", "o3"]) await badge(id, { fill: "red", shape: "dot" });
    assert.equal(service.server.stats.requests, 0);
  });

  it("names the other config node when two use one key with different limits, and recovers with its going", async () => {
    await using service = await startService(oftenLogins);
    const other = config(service.baseUrl, { id: "c2", name: "Strict", limits: "hosted" });
    const flow = [
      tab,
      config(service.baseUrl),
      other,
      out({ portal: "hall" }),
      out({ id: "o2", config: "c2", portal: "hall" }),
      ...catchAll,
      ...complete("o2"),
    ];
    await start(flow, { ...credentials, c2: { ...credentials["c1"] } });
    node("o2").receive({ payload: "x" });
    const [conflict] = await caught(1);
    assert.equal(conflict?.error.code, "XRTC_OPTIONS");
    assert.match(conflict?.error.message ?? "", /"Test service" uses the same account and key/);
    (node("c1") as unknown as { connection: { close(): void } }).connection.close();
    node("o2").receive({ payload: "x" });
    await taken("completed", 1);
  });

  it("settles everything when it is deleted: what is under way within two seconds, what comes later at once", async () => {
    const sockets = new Set<Socket>();
    const blackHole = createServer(
      (socket) => void sockets.add(socket.on("error", () => undefined)),
    );
    await new Promise<void>((resolve) => void blackHole.listen(0, "127.0.0.1", resolve));
    const { port } = blackHole.address() as { port: number };
    const flow = [tab, config(`http://127.0.0.1:${port}/v1`), out({ portal: "hall" }), ...catchAll];
    await start(flow, credentials);
    const closing = node("o1");
    for (let count = 0; count < 3; count += 1) closing.receive({ payload: count });
    const closed = closing.close(true);
    closing.receive({ payload: "too late" });
    const [first] = await caught(1);
    assert.equal(first?.["payload"], "too late");
    assert.equal(first?.error.code, "XRTC_CLOSED");
    await closed;
    await taken("caught", 3);
    assert.equal(errors("o1").length, 4);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => void blackHole.close(resolve));
  });

  it("lets messages wait while the service is away, says so, and sets them in order when it is back", async () => {
    await using service = await startService(oftenLogins);
    await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
    proxy.plan = () => ({ kind: "refuse", how: "rst" });
    const flow = [tab, config(`${proxy.origin}/v1`), out({ portal: "hall" }), ...catchAll];
    await start([...flow, ...complete("o1")], credentials);
    for (const payload of ["a", "b", "c"]) node("o1").receive({ payload });
    await badge("o1", { fill: "red", shape: "ring" });
    assert.deepEqual([untaken("completed"), untaken("caught")], [0, 0]);
    proxy.plan = () => undefined;
    const completed = await taken("completed", 3);
    assert.deepEqual(
      completed.map(({ payload }) => payload),
      ["a", "b", "c"],
    );
    await badge("o1", { fill: "green", shape: "dot" });
    assert.equal(untaken("caught"), 0);
    await stop();
  });

  it("L1: keeps to twenty requests a second under the hosted limits, and settles every message once", async () => {
    await using service = await startService({ preset: "hosted", ...oftenLogins });
    await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
    const sets: number[] = [];
    proxy.plan = () => {
      sets.push(performance.now());
      return undefined;
    };
    const flow = [tab, config(`${proxy.origin}/v1`, { limits: "hosted" }), out({ portal: "hall" })];
    await start([...flow, ...catchAll, ...complete("o1")], credentials);
    const MESSAGES = 1_200;
    for (let at = 0; at < MESSAGES; at += 1) node("o1").receive({ payload: String(at) });
    const failed = await caught(MESSAGES - 1_000);
    assert.deepEqual(new Set(failed.map(({ error }) => error.code)), new Set(["XRTC_QUEUE_FULL"]));
    const completed = await taken("completed", 1_000);
    assert.deepEqual(
      completed.map(({ payload }) => payload),
      Array.from({ length: 1_000 }, (_, at) => String(at)),
    );
    assert.equal(service.server.stats.itemsSet, 1_000);
    for (const [at, time] of sets.entries()) {
      // Two seconds by the client's clock; a busy machine may let some arrive late and the next ones not.
      const later = sets[at + 40];
      assert.ok(later === undefined || later - time > 1_000, `${later} - ${time}`);
    }
    assert.deepEqual([untaken("completed"), untaken("caught")], [0, 0]);
    await stop();
  });

  it("keeps a key out of everything that Node-RED could show", async () => {
    await using service = await startService(oftenLogins);
    await start([tab, config(service.baseUrl), out({ portal: "hall" })], credentials);
    const { connection } = node("c1") as unknown as { connection: object };
    const key = credentials["c1"]?.["apiKey"] ?? "";
    assert.ok(!JSON.stringify(connection).includes(key));
    assert.equal(shared().clients.size, 1);
  });
});
