/** What a user of the MQTT nodes knows, row by row, and what those leave wrong: each on a real runtime. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { Barrier } from "../support/barrier.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN, SET } from "../support/fault-stage.js";
import { ACCOUNT_ID, type Service, startService, take } from "../support/service.js";
import { catchAll, complete, config, credentials, input, out, sink, tab } from "./flows.js";
import {
  badge,
  badges,
  deploy,
  errors,
  type Flow,
  type Message,
  node,
  shared,
  start,
  stop,
  taken,
  untaken,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;
/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

/** Without the package's catalogue a text is its key. */
const IN_SECONDS = "@xrtc-community/node-red-xrtc/xrtc-config:badge.retryIn";

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);
const codes = (messages: readonly Message[]): unknown[] =>
  (messages as readonly Caught[]).map(({ error }) => error.code);
const portOf = (url: string): number => Number(new URL(url).port);

async function stored(service: Service, count: number, portal = "hall"): Promise<unknown[]> {
  const items = service.client().getItems({ portals: [portal], schedule: "FIFO" });
  return (await take(items, count)).map(({ payload }) => payload);
}

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => void probe.close(resolve));
  return port;
}

describe("Beyond the MQTT nodes:", () => {
  afterEach(stop);

  it("message while offline: waits in a bounded queue, is told when that is full, and is done when it is stored", async () => {
    const port = await freePort();
    const flow = [
      tab,
      config(`http://127.0.0.1:${port}/v1`),
      out({ portal: "hall", queueMax: 3 }),
      ...catchAll,
      ...complete("o1"),
    ];
    await start(flow, credentials);
    for (let at = 1; at <= 5; at += 1) node("o1").receive({ payload: String(at) });
    const refused = await taken("caught", 2);
    assert.deepEqual(payloads(refused), ["4", "5"]);
    assert.deepEqual(codes(refused), ["XRTC_QUEUE_FULL", "XRTC_QUEUE_FULL"]);
    await badge("o1", { fill: "red", shape: "ring" });
    assert.equal(untaken("completed"), 0);
    await using service = await startService({ port, ...oftenLogins });
    assert.deepEqual(payloads(await taken("completed", 3)), ["1", "2", "3"]);
    assert.deepEqual(await stored(service, 3), ["1", "2", "3"]);
    assert.equal(untaken("caught"), 0);
  });

  it("acknowledgement: done comes after the service's answer, with its time and the attempts that it took", async () => {
    await using service = await startService(oftenLogins);
    await using proxy = await FaultProxy.before(portOf(service.baseUrl));
    const answered = new Barrier();
    proxy.plan = ({ path, pathIndex }) => {
      if (path !== SET) return undefined;
      return pathIndex === 0
        ? { kind: "refuse", how: "rst" }
        : { kind: "hold", of: "response", until: answered.passed };
    };
    const sender = out({ portal: "hall", acknowledge: true, wires: [["k1"]] });
    const flow = [tab, config(`${proxy.origin}/v1`), sender, sink("k1"), ...complete("o1")];
    await start(flow, credentials);
    node("o1").receive({ payload: "x", kept: true });
    await proxy.reached(SET, 2);
    const [item] = await take(service.client().subscribe({ portals: ["hall"], start: "all" }), 1);
    assert.deepEqual([untaken("completed"), untaken("k1")], [0, 0]);
    answered.open();
    for (const id of ["completed", "k1"]) {
      const [message] = await taken(id, 1);
      const { servertimestamp, attempts, kept } = message ?? {};
      assert.deepEqual([servertimestamp, attempts, kept], [item?.serverTimestamp, 2, true], id);
    }
    await stop();
  });

  it("reconnect: the badge counts down to the next attempt, which comes by itself and goes on where it was", async () => {
    await using service = await startService(oftenLogins);
    await using proxy = await FaultProxy.before(portOf(service.baseUrl));
    const flow = [
      tab,
      config(`${proxy.origin}/v1`),
      out({ portal: "hall" }),
      input("i1", "hall"),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    proxy.plan = () => ({ kind: "answer", status: 503, headers: { "retry-after": "6" } });
    proxy.cutAll();
    // The text that has the seconds in it; before it the badge may tell that the connection was cut.
    await badge("i1", { fill: "red", shape: "ring", text: IN_SECONDS });
    const before = proxy.count();
    proxy.plan = () => undefined;
    await badge("i1", connected);
    assert.ok(proxy.count() <= before + 2, "no storm of requests");
    await service.client().setItems([{ portalId: "hall", payload: "back" }]);
    assert.deepEqual(payloads(await taken("k1", 1)), ["back"]);
    assert.equal(untaken("caught"), 0);
    await stop();
  });

  it("bad credentials: a red badge and one error, with the service's own words and code", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), input("i1", "hall"), sink("k1"), ...catchAll];
    await start(flow, { c1: { accountId: ACCOUNT_ID, apiKey: "x".repeat(32) } });
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_CREDENTIALS_REFUSED");
    assert.match(caught?.error.message ?? "", /code 35/);
    const { text = "" } = await badge("i1", { fill: "red", shape: "dot" });
    assert.ok(caught?.error.message.includes(text.replace(/…$/, "")), text);
    assert.deepEqual([errors("i1").length, service.server.stats.requests], [1, 1]);
  });

  it("one connection: config nodes of one account and key share one client and one login, through redeploys", async () => {
    await using service = await startService();
    await using proxy = await FaultProxy.before(portOf(service.baseUrl));
    const baseUrl = `${proxy.origin}/v1`;
    const flow: Flow = [
      tab,
      config(baseUrl),
      config(baseUrl, { id: "c2", name: "Again" }),
      out({ portal: "hall" }),
      input("i1", "hall", { config: "c2" }),
      sink("k1"),
    ];
    await start(flow, { ...credentials, c2: { ...credentials["c1"] } });
    for (const type of ["full", "flows", "nodes", "full"] as const) {
      await badge("i1", connected);
      node("o1").receive({ payload: type });
      assert.deepEqual(payloads(await taken("k1", 1)), [type]);
      await deploy(flow, type);
    }
    const { sessions, waitingGets } = service.server.stats;
    assert.deepEqual([proxy.count(LOGIN), sessions, waitingGets], [1, 1, 1]);
    assert.equal(shared().clients.size, 1);
    await stop();
  });

  it("several subscribers: one upstream, and a message of one's own for each, Buffers included", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall", { output: "buffer" }),
      input("i2", "hall", { output: "buffer" }),
      sink("k1"),
      sink("k2"),
    ];
    await start(flow, credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await service.client().setItems([{ portalId: "hall", payload: "AQID" }]);
    const [[one], [two]] = await Promise.all([taken("k1", 1), taken("k2", 1)]);
    assert.ok(Buffer.isBuffer(one?.["payload"]));
    one["payload"].fill(9);
    assert.deepEqual(two?.["payload"], Buffer.from([1, 2, 3]));
    assert.notEqual(one, two);
    assert.equal(service.server.stats.waitingGets, 1);
  });

  it("what arrives on start: only what is new, unless all is asked for, or what is there since a time", async () => {
    await using service = await startService(oftenLogins);
    const client = service.client();
    const { serverTimestamp } = await client.setItems([{ portalId: "hall", payload: '"old"' }]);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall"),
      input("i2", "hall", { start: "all" }),
      input("i3", "hall", { start: "since", since: new Date(serverTimestamp).toISOString() }),
      ...["k1", "k2", "k3"].map(sink),
    ];
    await start(flow, credentials);
    await Promise.all(["i1", "i2", "i3"].map((id) => badge(id, connected)));
    await client.setItems([{ portalId: "hall", payload: '"new"' }]);
    assert.deepEqual(payloads(await taken("k1", 1)), ["new"]);
    assert.deepEqual(payloads(await taken("k2", 2)), ["old", "new"]);
    assert.deepEqual(payloads(await taken("k3", 2)), ["old", "new"]);
    assert.deepEqual([untaken("k1"), untaken("k2"), untaken("k3")], [0, 0, 0]);
  });

  it("status: cause, depth of the queue and retry, the same in the badge, in a Status node and for getStatus", async () => {
    await using service = await startService(oftenLogins);
    await using proxy = await FaultProxy.before(portOf(service.baseUrl));
    proxy.plan = ({ path }) => (path === SET ? { kind: "refuse", how: "rst" } : undefined);
    const sender = out({ portal: "hall", acknowledge: true, outputs: 1, wires: [["k1"]] });
    const flow: Flow = [
      tab,
      config(`${proxy.origin}/v1`),
      sender,
      sink("k1"),
      { id: "st", type: "status", z: "f1", x: 100, y: 100, scope: null, wires: [["seen"]] },
      sink("seen"),
    ];
    await start(flow, credentials);
    for (const payload of ["1", "2", "3"]) node("o1").receive({ payload });
    const { text } = await badge("o1", { fill: "red", shape: "ring" });
    node("o1").receive({ action: "getStatus" });
    const [answer] = await taken("k1", 1);
    const { retryInMs, perSecond, ...told } = (answer as { payload: Message }).payload;
    const code = "XRTC_CONNECTION_LOST";
    assert.deepEqual(told, { fill: "red", shape: "ring", text, kind: "waiting", code, queued: 3 });
    assert.deepEqual([typeof retryInMs, perSecond], ["number", 0]);
    const seen = await taken("seen", badges("o1").length);
    assert.equal(
      (seen.at(-1) as { status?: { text?: string } }).status?.text,
      badges("o1").at(-1)?.text,
    );
    proxy.plan = () => undefined;
    assert.deepEqual(payloads(await taken("k1", 3)), ["1", "2", "3"]);
    await badge("o1", connected);
    await stop();
  });
});
