import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault-proxy.js";
import { startService, take } from "../support/service.js";
import { catchAll, complete, config, credentials, out, sink, tab } from "./flows.js";
import {
  badge,
  badges,
  deploy,
  type Message,
  node,
  start,
  stop,
  taken,
  untaken,
  warnings,
} from "./runtime.js";

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const tell = (action: string, id = "o1"): void => node(id).receive({ action });

/** The code of the next error that a Catch node gets. */
async function caughtCode(): Promise<unknown> {
  const [caught] = (await taken("caught", 1)) as { readonly error?: { readonly code?: string } }[];
  return caught?.error?.code;
}

/** What getStatus sends through the output to the sink `k1`. */
async function report(): Promise<Record<string, unknown>> {
  tell("getStatus");
  const [message] = await taken("k1", 1);
  assert.equal(message?.["action"], "getStatus");
  return message["payload"] as Record<string, unknown>;
}

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

const statusNode = [
  { id: "s9", type: "status", z: "f1", x: 1, y: 1, scope: ["o1"], wires: [["seen"]] },
  { id: "seen", type: "sink", z: "f1", x: 1, y: 1, wires: [] },
];

describe("xrtc-out, told by msg.action", () => {
  afterEach(stop);

  it("lets messages wait while it is paused, and sends them in order when it is resumed", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    tell("pause");
    await badge("o1", { fill: "grey", shape: "ring" });
    for (const payload of ["a", "b"]) node("o1").receive({ payload });
    tell("getStatus");
    // The verbs are complete as soon as they are obeyed.
    const verbs = await taken("completed", 2);
    assert.deepEqual(
      verbs.map(({ action }) => action),
      ["pause", "getStatus"],
    );
    assert.equal(service.server.stats.requests, 0);
    tell("resume");
    assert.equal((await taken("completed", 1))[0]?.["action"], "resume");
    assert.deepEqual(payloads(await taken("completed", 2)), ["a", "b"]);
    await badge("o1", { fill: "green", shape: "dot" });
  });

  it("flushes what waits, stays paused, and is done when that is set", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    tell("pause");
    await taken("completed", 1);
    for (const payload of ["a", "b"]) node("o1").receive({ payload });
    tell("flush");
    node("o1").receive({ payload: "stays" });
    const done = await taken("completed", 3);
    assert.deepEqual([...payloads(done).slice(0, 2), done[2]?.["action"]], ["a", "b", "flush"]);
    assert.equal(service.server.stats.itemsSet, 2);
    assert.equal(untaken("completed"), 0);
  });

  it("has nothing more to do with the service when disconnected, while its neighbour goes on", async () => {
    await using service = await startService(oftenLogins);
    const neighbour = { id: "o2", portal: "attic", acknowledge: true, outputs: 1, wires: [["k2"]] };
    const nodes = [out({ portal: "hall" }), out(neighbour)];
    const flow = [tab, config(service.baseUrl), ...nodes, ...complete("o1"), ...catchAll];
    await start([...flow, sink("k2")], credentials);
    tell("disconnect");
    await badge("o1", {
      fill: "grey",
      shape: "ring",
      text: "node-red:common.status.disconnected",
    });
    await taken("completed", 1);
    node("o1").receive({ payload: "waits" });
    node("o2").receive({ payload: "goes" });
    await taken("k2", 1);
    tell("flush");
    assert.equal(await caughtCode(), "XRTC_CLOSED");
    tell("connect");
    const done = await taken("completed", 2);
    assert.deepEqual(
      new Set(done.map(({ action, payload }) => action ?? payload)),
      new Set(["connect", "waits"]),
    );
    assert.equal(service.server.stats.itemsSet, 2);
    assert.equal(service.server.stats.logins, 1);
    await badge("o1", { fill: "green", shape: "dot" });
  });

  it("logs in when it is told to connect, and tells a Catch node why when it cannot", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out(), ...complete("o1"), ...catchAll];
    await start(flow, credentials);
    tell("connect");
    await taken("completed", 1);
    assert.equal(service.server.stats.logins, 1);
    await stop();
    await start(flow, { c1: { ...credentials["c1"], apiKey: "y".repeat(32) } });
    tell("connect");
    assert.equal(await caughtCode(), "XRTC_CREDENTIALS_REFUSED");
    assert.equal(untaken("completed"), 0);
  });

  it("sets a message with any other action as it sets every message", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    const actions = ["on", "Pause", "subscribe", "toString", 1, ["pause"], null];
    for (const action of actions) node("o1").receive({ action, payload: "x" });
    await taken("completed", actions.length);
    assert.equal(service.server.stats.itemsSet, actions.length);
  });

  it("answers getStatus with what the badge and a Status node say", async () => {
    await using service = await startService(oftenLogins);
    const port = Number(new URL(service.baseUrl).port);
    await using proxy = await FaultProxy.before(port);
    const sender = out({ portal: "hall", acknowledge: true, outputs: 1, wires: [["k1"]] });
    const flow = [tab, config(`${proxy.origin}/v1`), sender, sink("k1"), ...statusNode];
    await start(flow, credentials);
    assert.deepEqual(await report(), { text: "", kind: "idle", queued: 0, perSecond: 0 });
    node("o1").receive({ payload: "x" });
    await taken("k1", 1);
    const { fill, shape, text } = await badge("o1", { fill: "green", shape: "dot" });
    const { perSecond, ...connected } = await report();
    assert.deepEqual(connected, { fill, shape, text, kind: "connected", queued: 0 });
    assert.equal(typeof perSecond, "number");
    proxy.plan = () => ({ kind: "refuse", how: "rst" });
    node("o1").receive({ payload: "waits" });
    await badge("o1", { fill: "red", shape: "ring" });
    const answer = await report();
    const latest = badges("o1").at(-1);
    assert.deepEqual(
      [answer["fill"], answer["shape"], answer["text"]],
      [latest?.fill, latest?.shape, latest?.text],
    );
    assert.deepEqual([answer["kind"], answer["queued"]], ["waiting", 1]);
    assert.match(String(answer["code"]), /^XRTC_/);
    assert.ok((answer["retryInMs"] as number) >= 0);
    const seen = await taken("seen", badges("o1").length);
    assert.deepEqual(
      seen.map(({ status }) => (status as { text?: string }).text),
      badges("o1").map((each) => each.text),
    );
    proxy.plan = () => undefined;
    await taken("k1", 1);
    await stop();
  });

  it("without an output says once that it can only show its status", async () => {
    await using service = await startService(oftenLogins);
    await start([tab, config(service.baseUrl), out(), ...complete("o1")], credentials);
    tell("getStatus");
    tell("getStatus");
    await taken("completed", 2);
    assert.equal(warnings("o1").length, 1);
  });

  it("is neither paused nor disconnected after a deploy, which sends what waited, once and in order", async () => {
    await using service = await startService(oftenLogins);
    const sender = out({ portal: "hall", ttlSeconds: 60 });
    const flow = [tab, config(service.baseUrl), sender, ...catchAll, ...complete("o1")];
    await start(flow, credentials);
    tell("pause");
    await taken("completed", 1);
    for (const payload of ["a", "b", "c"]) node("o1").receive({ payload });
    await deploy(flow, "full");
    assert.deepEqual(payloads(await taken("completed", 3)), ["a", "b", "c"]);
    const items = service.client().getItems({ portals: ["hall"], schedule: "FIFO" });
    assert.deepEqual(
      (await take(items, 3)).map(({ payload }) => payload),
      ["a", "b", "c"],
    );
    assert.equal(untaken("caught"), 0);
  });

  it("fails what waited too long while it was paused, and never sends it", async () => {
    await using service = await startService(oftenLogins);
    const sender = out({ portal: "hall", ttlSeconds: "0.05" });
    const flow = [tab, config(service.baseUrl), sender, ...catchAll, ...complete("o1")];
    await start(flow, credentials);
    tell("pause");
    node("o1").receive({ payload: "stale" });
    assert.equal(await caughtCode(), "XRTC_TIMEOUT");
    tell("resume");
    await taken("completed", 2);
    assert.equal(service.server.stats.requests, 0);
  });

  it("takes its badge away when the flows are stopped", async () => {
    await using service = await startService(oftenLogins);
    await start([tab, config(service.baseUrl), out({ portal: "hall" })], credentials);
    node("o1").receive({ payload: "x" });
    await badge("o1", { fill: "green" });
    const target = node("o1");
    await target.close(true);
    assert.deepEqual(badges("o1").at(-1), {});
  });
});
