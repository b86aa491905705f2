import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Barrier } from "../support/barrier.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { SET } from "../support/fault-stage.js";
import { API_KEY, startService, take } from "../support/service.js";
import { catchAll, complete, config, credentials, input, out, sink, tab } from "./flows.js";
import { badge, type Message, node, start, stop, taken, untaken } from "./runtime.js";

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string; readonly cause?: unknown };
}

/** Payload and code of the next messages that a Catch node got, sorted. */
const failures = async (count: number): Promise<unknown[]> =>
  ((await taken("caught", count)) as Caught[])
    .map(({ payload, error }) => `${String(payload)} ${error.code}`)
    .toSorted();

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

/** What a portal holds, oldest first. */
async function stored(
  service: Awaited<ReturnType<typeof startService>>,
  portal: string,
  count: number,
): Promise<unknown[]> {
  const items = service.client().getItems({ portals: [portal], schedule: "FIFO" });
  return (await take(items, count)).map(({ payload }) => payload);
}

/** A service behind a proxy that holds the answer to the first set back. */
async function heldService() {
  const service = await startService({ ...oftenLogins, extensions: { order: false } });
  const proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
  const held = new Barrier();
  proxy.plan = ({ path, pathIndex }) =>
    path === SET && pathIndex === 0 ? { kind: "hold", until: held.passed } : undefined;
  return {
    service,
    proxy,
    held,
    async [Symbol.asyncDispose]() {
      held.open();
      await stop();
      await proxy.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe("xrtc-out's settings", () => {
  afterEach(stop);

  it("take the portal from the message, the environment, the context or an expression", async () => {
    await using service = await startService(oftenLogins);
    process.env["XRTC_TEST_ROOM"] = "env1";
    try {
      const portals = [
        ["msg", "room.name"],
        ["env", "XRTC_TEST_ROOM"],
        ["flow", "room"],
        ["global", "room"],
        ["jsonata", "'jsonata' & $string(room.number)"],
      ] as const;
      const nodes = portals.map(([portalType, portal], at) =>
        out({ id: `o${at}`, portalType, portal }),
      );
      await start([tab, config(service.baseUrl), ...nodes, ...catchAll], credentials);
      node("o2").context().flow.set("room", "flow1");
      node("o3").context().global.set("room", "global1");
      const room = { name: "msg1", number: 1 };
      for (const { id } of nodes) node(id).receive({ payload: id, room, topic: "unused" });
      for (const portal of ["msg1", "env1", "flow1", "global1", "jsonata1"]) {
        const index = portals.findIndex(([type]) => portal === `${type}1`);
        const items = service.client().subscribe({ portals: [portal], start: "all" });
        assert.deepEqual(payloads((await take(items, 1)) as unknown as Message[]), [`o${index}`]);
      }
      node("o0").receive({ payload: "nowhere", topic: "unused" });
      node("o4").receive({ payload: "nowhere", room: { number: "-" } });
      assert.deepEqual(await failures(2), [
        "nowhere XRTC_PORTAL_INVALID",
        "nowhere XRTC_PORTAL_MISSING",
      ]);
    } finally {
      delete process.env["XRTC_TEST_ROOM"];
    }
  });

  it("take the portal of each instance of a subflow from the environment of that instance", async () => {
    await using service = await startService(oftenLogins);
    const entrance = { x: 20, y: 20, wires: [{ id: "so" }] };
    const env = [{ name: "ROOM", value: "none", type: "str" }];
    const subflow = { id: "sf", type: "subflow", name: "Room", in: [entrance], out: [], env };
    const inner = { ...out({ id: "so", portalType: "env", portal: "ROOM" }), z: "sf" };
    const rooms = ["hall", "attic"];
    const instances = rooms.map((value, at) => ({
      id: `n${at}`,
      type: "subflow:sf",
      z: "f1",
      x: 100,
      y: 100,
      env: [{ name: "ROOM", value, type: "str" }],
      wires: [],
    }));
    // Nobody but a wire can send to an instance.
    const before = out({
      portal: "any",
      acknowledge: true,
      outputs: 1,
      wires: [instances.map(({ id }) => id)],
    });
    await start([tab, config(service.baseUrl), subflow, inner, before, ...instances], credentials);
    node("o1").receive({ payload: "to all rooms" });
    const items = service.client().subscribe({ portals: rooms, start: "all" });
    const portals = (await take(items, 2)).map(({ portalId }) => portalId);
    assert.deepEqual(portals.toSorted(), rooms.toSorted());
  });

  it("that cannot be read turn the badge red and are told to each message, before any request", async () => {
    await using service = await startService(oftenLogins);
    const broken = out({ portalType: "jsonata", portal: "'a' &" });
    await start([tab, config(service.baseUrl), broken, ...catchAll], credentials);
    await badge("o1", { fill: "red", shape: "dot" });
    for (const payload of ["a", "b"]) node("o1").receive({ payload });
    assert.deepEqual(await failures(2), ["a XRTC_OPTIONS", "b XRTC_OPTIONS"]);
    assert.equal(service.server.stats.requests, 0);
  });

  it("encode as a string, as JSON, as Base64", async () => {
    await using service = await startService(oftenLogins);
    const encodings = ["string", "json", "base64"];
    const nodes = encodings.map((encode, at) => out({ id: `o${at}`, encode, portal: encode }));
    await start([tab, config(service.baseUrl), ...nodes, ...catchAll], credentials);
    node("o0").receive({ payload: Buffer.from("wärm") });
    node("o1").receive({ payload: "warm" });
    node("o2").receive({ payload: Buffer.from([1, 2, 250]) });
    node("o2").receive({ payload: "AQL6" });
    assert.deepEqual(await failures(1), ["AQL6 XRTC_PAYLOAD_INVALID"]);
    const items = service.client().subscribe({ portals: encodings, start: "all" });
    const all = await take(items, 3);
    assert.deepEqual(Object.fromEntries(all.map(({ portalId, payload }) => [portalId, payload])), {
      string: "wärm",
      json: '"warm"',
      base64: "AQL6",
    });
  });

  it("send a whole message that arrives as one, a Buffer in it as a Buffer, without req and res", async () => {
    await using service = await startService(oftenLogins);
    const sender = out({ encode: "message", portal: "hall", properties: "retain, thumb" });
    const reader = input("i1", "hall", { output: "message" });
    await start([tab, config(service.baseUrl), sender, reader, sink("k1")], credentials);
    await badge("i1", { fill: "green", shape: "dot" });
    const thumb = Buffer.from([1, 2, 250]);
    const message = { topic: "home/hall", payload: { t: 21.5 }, retain: true, thumb, secret: 1 };
    node("o1").receive({ ...message, req: {}, res: {} });
    const [received] = await taken("k1", 1);
    const { topic, payload, retain, portalid } = received ?? {};
    assert.deepEqual(
      { topic, payload, retain, portalid },
      {
        topic: "home/hall",
        payload: { t: 21.5 },
        retain: true,
        portalid: "hall",
      },
    );
    assert.deepEqual(Buffer.from(received?.["thumb"] as Buffer), thumb);
    for (const name of ["secret", "req", "res"]) assert.ok(!(name in (received ?? {})), name);
  });

  it("of several items encode each of them, and take their portal where one has none", async () => {
    await using service = await startService(oftenLogins);
    const sender = out({ encode: "json", portalType: "msg", portal: "room" });
    await start([tab, config(service.baseUrl), sender, ...complete("o1")], credentials);
    const items = [{ payload: "a" }, { portalid: "attic", payload: "b" }];
    node("o1").receive({ room: "hall", items });
    await taken("completed", 1);
    assert.deepEqual(await stored(service, "hall", 1), ['"a"']);
    assert.deepEqual(await stored(service, "attic", 1), ['"b"']);
  });

  it("bound the messages that wait: one more fails, and the others are set", async () => {
    await using on = await heldService();
    const flow = [tab, config(`${on.proxy.origin}/v1`), out({ portal: "hall", queueMax: "2" })];
    await start([...flow, ...catchAll, ...complete("o1")], credentials);
    node("o1").receive({ payload: "a" });
    await on.proxy.reached(SET);
    for (const payload of ["b", "c"]) node("o1").receive({ payload });
    assert.deepEqual(await failures(1), ["c XRTC_QUEUE_FULL"]);
    on.held.open();
    assert.deepEqual(payloads(await taken("completed", 2)), ["a", "b"]);
    assert.deepEqual(await stored(on.service, "hall", 2), ["a", "b"]);
  });

  it("let only the latest message of a portal wait, where that is wanted", async () => {
    await using on = await heldService();
    const flow = [tab, config(`${on.proxy.origin}/v1`), out({ delivery: "latest" })];
    await start([...flow, ...catchAll, ...complete("o1")], credentials);
    node("o1").receive({ topic: "hall", payload: "on its way" });
    await on.proxy.reached(SET);
    for (const payload of ["b", "c", "d"]) node("o1").receive({ topic: "hall", payload });
    node("o1").receive({ topic: "attic", payload: "e" });
    assert.deepEqual(await failures(2), ["b XRTC_SUPERSEDED", "c XRTC_SUPERSEDED"]);
    on.held.open();
    assert.deepEqual(payloads(await taken("completed", 3)), ["on its way", "d", "e"]);
    assert.deepEqual(await stored(on.service, "hall", 2), ["on its way", "d"]);
  });

  it("send again what may have got lost, and say so, or never, where once at most is wanted", async () => {
    await using service = await startService({
      ...oftenLogins,
      extensions: { idempotency: false },
    });
    await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
    proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex === 0
        ? { kind: "cut-response", afterBytes: 0, how: "rst" }
        : undefined;
    const nodes = [out({ portal: "hall" }), out({ id: "o2", portal: "attic", delivery: "once" })];
    const flow = [tab, config(`${proxy.origin}/v1`), ...nodes, ...catchAll, ...complete("o1")];
    await start(flow, credentials);
    node("o1").receive({ payload: "twice" });
    const [first] = await taken("completed", 1);
    assert.equal(first?.["attempts"], 2);
    assert.equal(first?.["duplicatepossible"], true);
    assert.equal(service.server.stats.itemsSet, 2);
    node("o1").receive({ payload: "again", duplicatepossible: true });
    const [second] = await taken("completed", 1);
    assert.equal(second?.["attempts"], 1);
    assert.ok(!("duplicatepossible" in (second ?? {})));
    const before = proxy.count(SET);
    proxy.plan = ({ path }) =>
      path === SET ? { kind: "cut-response", afterBytes: 0, how: "rst" } : undefined;
    node("o2").receive({ payload: "once" });
    const [unsure] = (await taken("caught", 1)) as Caught[];
    assert.deepEqual([unsure?.payload, unsure?.error.code], ["once", "XRTC_NOT_CONFIRMED"]);
    assert.ok(unsure?.error.cause instanceof Error, "with what went wrong below");
    assert.equal(proxy.count(SET), before + 1);
    await stop();
  });

  it("send a message on, once it is set, with what became of it", async () => {
    await using service = await startService(oftenLogins);
    const sender = out({ portal: "hall", acknowledge: true, outputs: 1, wires: [["k1"]] });
    const flow = [tab, config(service.baseUrl), sender, sink("k1"), ...catchAll, ...complete("o1")];
    await start(flow, credentials);
    node("o1").receive({ payload: 10n });
    node("o1").receive({ payload: "warm", other: "kept" });
    const [onward] = await taken("k1", 1);
    const [completed] = await taken("completed", 1);
    assert.deepEqual([onward?.["payload"], onward?.["other"]], ["warm", "kept"]);
    assert.equal(typeof onward?.["servertimestamp"], "number");
    assert.equal(onward?.["servertimestamp"], completed?.["servertimestamp"]);
    assert.equal(onward?.["attempts"], 1);
    assert.deepEqual(await failures(1), ["10 XRTC_PAYLOAD_INVALID"]);
    assert.equal(untaken("k1"), 0);
  });

  it("A16: and nothing in a message chooses the address, the key or a header", async () => {
    await using service = await startService(oftenLogins);
    let strangers = 0;
    const other = createServer((_request, response) => {
      strangers += 1;
      response.end();
    });
    await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const url = `http://127.0.0.1:${port}/v1`;
    const urls = { url, baseUrl: url, loginUrl: url, setUrl: url, getUrl: url, host: url };
    const keys = { accountid: "AC9", accountId: "AC9", apikey: "x".repeat(32), apiKey: "x" };
    const headers = { cookie: "JSESSIONID=1", authorization: "Basic eDp4", host: "example.org" };
    const hostile = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    ) as object;
    await start(
      [
        tab,
        config(service.baseUrl),
        out({ portal: "hall", encode: "message", properties: "retain" }),
        ...complete("o1"),
      ],
      credentials,
    );
    const message = { ...hostile, ...urls, ...keys, headers, config: "c2", server: url, retain: 1 };
    for (const payload of [1, hostile]) node("o1").receive({ ...message, payload });
    await taken("completed", 2);
    assert.equal(strangers, 0);
    assert.equal(service.server.stats.logins, 1);
    const [first] = await stored(service, "hall", 2);
    assert.equal(first, '{"payload":1,"retain":1}');
    assert.ok(!JSON.stringify(first).includes(API_KEY));
    assert.ok(!("polluted" in {}));
    await new Promise((resolve) => void other.close(resolve));
  });
});
