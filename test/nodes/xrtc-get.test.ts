import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { credentials as keys, type Service, startService } from "../support/service.js";
import { catchAll, complete, config, credentials, get, input, out, sink, tab } from "./flows.js";
import {
  badge,
  coreNodes,
  deploy,
  errors,
  type Flow,
  type Message,
  node,
  start,
  stop,
  taken,
  untaken,
  until,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string; readonly cause?: unknown };
}

const connected = { fill: "green", shape: "dot" } as const;

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const set = (
  service: Service,
  portalId: string,
  ...payloads: readonly string[]
): Promise<unknown> =>
  service.client().setItems(payloads.map((payload) => ({ portalId, payload })));

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

/** The array that the next message of a sink has. */
async function listOf(id: string): Promise<readonly Message[]> {
  const [message] = await taken(id, 1);
  assert.ok(Array.isArray(message?.["payload"]));
  return message["payload"] as Message[];
}

/** A node that is asked, its sink, whoever hears of errors and whoever hears that a message is complete. */
const flowOf = (service: Service, more: object = {}): Flow => [
  tab,
  config(service.baseUrl),
  get("g1", more),
  sink("k1"),
  ...catchAll,
  ...complete("g1"),
];

describe("xrtc-get", () => {
  afterEach(stop);

  it("answers with a message for each item, which keeps what the question had and shares nothing", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", '{"a":1}', "two");
    await start(flowOf(service, { portals: "hall" }), credentials);
    const bytes = Buffer.from("kept");
    const asked = { payload: "why", room: { id: 7 }, bytes, topic: "mine", _msgid: "m1" };
    node("g1").receive(asked);
    const [second, first] = await taken("k1", 2);
    assert.deepEqual([first?.["payload"], second?.["payload"]], [{ a: 1 }, "two"]);
    for (const answer of [first, second]) {
      assert.deepEqual(answer?.["room"], { id: 7 });
      assert.deepEqual([answer?.["topic"], answer?.["portalid"]], ["hall", "hall"]);
      assert.equal(typeof answer?.["servertimestamp"], "number");
      assert.equal(typeof answer?.["latency"], "number");
      assert.equal(answer?.["_msgid"], "m1");
      assert.notEqual(answer?.["room"], asked.room);
      assert.notEqual(answer?.["bytes"], bytes);
      assert.ok(Buffer.isBuffer(answer?.["bytes"]) && bytes.equals(answer["bytes"]));
    }
    assert.notEqual(first?.["room"], second?.["room"]);
    assert.notEqual(first?.["bytes"], second?.["bytes"]);
    bytes.fill(0);
    assert.equal(String(first?.["bytes"]), "kept");
    await taken("completed", 1);
  });

  it("marks the answers as parts, which a join node puts together", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", "1", "2", "3");
    const flow = flowOf(service, { portals: "hall", schedule: "FIFO", wires: [["j1", "k1"]] });
    const joins = {
      id: "j1",
      type: "join",
      z: "f1",
      mode: "auto",
      build: "array",
      wires: [["k2"]],
    };
    await start([...flow, joins, sink("k2")], credentials, coreNodes("sequence/17-split.js"));
    node("g1").receive({ payload: "", parts: { id: "outer", index: 4, count: 9 } });
    const parts = await taken("k1", 3);
    const [{ id } = {}] = parts.map((message) => message["parts"] as { id?: string });
    const outer = { id: "outer", index: 4, count: 9 };
    assert.deepEqual(
      parts.map((message) => message["parts"]),
      [0, 1, 2].map((index) => ({ parts: outer, id, type: "array", count: 3, len: 1, index })),
    );
    const [joined] = await taken("k2", 1);
    assert.deepEqual(joined?.["payload"], [1, 2, 3]);
    assert.deepEqual(joined?.["parts"], outer);
  });

  it("answers with one message that has them all in an array, an empty one where there are none", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", "1", "2");
    const more = { portals: "hall", result: "array", schedule: "FIFO" };
    await start(flowOf(service, more), credentials);
    node("g1").receive({ topic: "mine", payload: "x", room: 1 });
    node("g1").receive({ topic: "mine", payload: "x", room: 2 });
    const [some, none] = await taken("k1", 2);
    const list = some?.["payload"] as Message[];
    assert.deepEqual(payloads(list), [1, 2]);
    assert.deepEqual(
      [list[0]?.["portalid"], typeof list[0]?.["servertimestamp"]],
      ["hall", "number"],
    );
    assert.deepEqual(
      [some?.["topic"], some?.["room"], "parts" in (some ?? {})],
      ["mine", 1, false],
    );
    assert.deepEqual([none?.["payload"], none?.["room"]], [[], 2]);
  });

  it("sends nothing where there is nothing, and completes the question all the same", async () => {
    await using service = await startService(oftenLogins);
    await start(flowOf(service, { portals: "hall" }), credentials);
    node("g1").receive({ payload: "anything?" });
    const [done] = await taken("completed", 1);
    assert.equal(done?.["payload"], "anything?");
    assert.equal(untaken("k1"), 0);
    assert.deepEqual(errors("g1"), []);
  });

  it("brings what is new since it asked last, whatever others got meanwhile", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      ...flowOf(service, { portals: "hall", schedule: "FIFO" }),
      get("g2", { portals: "hall", schedule: "FIFO" }),
      sink("k2"),
    ];
    await start(flow, credentials);
    await set(service, "hall", "1", "2");
    node("g1").receive({});
    assert.deepEqual(payloads(await taken("k1", 2)), [1, 2]);
    await set(service, "hall", "3");
    node("g2").receive({});
    assert.deepEqual(payloads(await taken("k2", 3)), [1, 2, 3]);
    node("g1").receive({});
    assert.deepEqual(payloads(await taken("k1", 1)), [3]);
  });

  it("waits for an item when it is told to", async () => {
    await using service = await startService(oftenLogins);
    await start(flowOf(service, { portals: "hall", mode: "watch" }), credentials);
    node("g1").receive({ payload: "when?" });
    await until(() => service.server.stats.waitingGets === 1);
    await set(service, "hall", "now");
    assert.deepEqual(payloads(await taken("k1", 1)), ["now"]);
  });

  it("waits no longer than the service's get timeout", async () => {
    await using service = await startService({ limits: { getTimeoutMs: 50 } });
    await start(flowOf(service, { portals: "hall", mode: "watch", result: "array" }), credentials);
    node("g1").receive({});
    assert.deepEqual(payloads(await taken("k1", 1)), [[]]);
  });

  it("lists every portal of the account with its latest item, new or not, as often as it is asked", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", "1", "2");
    await set(service, "kitchen", "3");
    await start(flowOf(service, { mode: "all", result: "array" }), credentials);
    for (let round = 0; round < 2; round += 1) {
      node("g1").receive({});
      const items = (await listOf("k1")).map(({ portalid, payload }) => [portalid, payload]);
      assert.deepEqual(
        new Map(items as [string, unknown][]),
        new Map([
          ["hall", 2],
          ["kitchen", 3],
        ]),
      );
    }
  });

  it("takes the portals from the message, by default and by typed input", async () => {
    await using service = await startService(oftenLogins);
    const client = service.client();
    for (const portalId of ["a", "b", "c"])
      await client.setItems([{ portalId, payload: portalId }]);
    const flow = [
      ...flowOf(service, { schedule: "FIFO" }),
      get("g2", { portals: "where.room", portalsType: "msg" }),
      sink("k2"),
      get("g3", { portals: '$split(room, "-")', portalsType: "jsonata", schedule: "FIFO" }),
      sink("k3"),
    ];
    await start(flow, credentials);
    node("g1").receive({ portals: ["a", "b"], portalid: "c", topic: "c" });
    assert.deepEqual(payloads(await taken("k1", 2)), ["a", "b"]);
    node("g1").receive({ topic: "c" });
    assert.deepEqual(payloads(await taken("k1", 1)), ["c"]);
    node("g2").receive({ where: { room: "b" } });
    assert.deepEqual(payloads(await taken("k2", 1)), ["b"]);
    node("g3").receive({ room: "a-c" });
    assert.deepEqual(payloads(await taken("k3", 2)), ["a", "c"]);
  });

  for (const [what, more, message, code, words] of [
    ["no portal", {}, {}, "XRTC_PORTAL_MISSING", /msg\.portals, msg\.portalid or msg\.topic/],
    ["a bad portal", {}, { topic: "a-b" }, "XRTC_PORTAL_INVALID", /msg\.topic: "a-b"/],
    [
      "nothing at its place",
      { portals: "room", portalsType: "msg" },
      {},
      "XRTC_PORTAL_MISSING",
      /msg\.room names no portal/,
    ],
    [
      "an expression that fails",
      { portals: "$error('no')", portalsType: "jsonata" },
      {},
      "XRTC_OPTIONS",
      /portals/,
    ],
    [
      "an expression that cannot be read",
      { portals: "a[", portalsType: "jsonata" },
      {},
      "XRTC_OPTIONS",
      /xrtc-get: portals/,
    ],
    ["a bad setting", { portals: "a-b" }, {}, "XRTC_OPTIONS", /xrtc-get: portals/],
  ] as const) {
    it(`with ${what} tells a Catch node once, with a code, and sends no request`, async () => {
      await using service = await startService(oftenLogins);
      await start(flowOf(service, more), credentials);
      node("g1").receive({ ...message, mark: 1 });
      const [caught] = (await taken("caught", 1)) as Caught[];
      assert.equal(caught?.error.code, code);
      assert.match(caught?.error.message ?? "", words);
      assert.equal(caught?.["mark"], 1);
      assert.equal(errors("g1").length, 1);
      assert.equal(service.server.stats.requests, 0);
      assert.deepEqual([untaken("k1"), untaken("completed"), untaken("caught")], [0, 0, 0]);
    });
  }

  it("tells a Catch node once for each question what the service says, and shows it on its badge", async () => {
    await using service = await startService(oftenLogins);
    const wrong = { c1: { accountId: keys.accountId, apiKey: "x".repeat(32) } };
    await start(flowOf(service, { portals: "hall" }), wrong);
    node("g1").receive({});
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_CREDENTIALS_REFUSED");
    await badge("g1", { fill: "red", shape: "dot" });
    assert.equal(errors("g1").length, 1);
  });

  it("reports an item that is not as its output expects, and delivers the neighbours", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", "1", "no json", "2");
    const more = { portals: "hall", output: "json", schedule: "FIFO" };
    await start(
      [...flowOf(service, more), get("g2", { ...more, malformed: "raw" }), sink("k2")],
      credentials,
    );
    node("g1").receive({ room: 7 });
    const messages = await taken("k1", 2);
    assert.deepEqual(payloads(messages), [1, 2]);
    assert.deepEqual(
      messages.map(({ parts }) => (parts as { count: number }).count),
      [2, 2],
    );
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_ITEM_MALFORMED");
    assert.deepEqual(
      [caught?.["payload"], caught?.["portalid"], caught?.["room"]],
      ["no json", "hall", 7],
    );
    node("g2").receive({});
    assert.deepEqual(payloads(await taken("k2", 3)), [1, "no json", 2]);
  });

  it("decodes whole messages, whose topic goes before the portal's id", async () => {
    await using service = await startService(oftenLogins);
    await set(
      service,
      "hall",
      '{"topic":"a/b","payload":{"$buffer":"AAE="},"retain":true,"req":1}',
    );
    await start(flowOf(service, { portals: "hall", output: "message" }), credentials);
    node("g1").receive({ room: 7 });
    const [message] = await taken("k1", 1);
    assert.deepEqual(
      [message?.["topic"], message?.["portalid"], message?.["retain"]],
      ["a/b", "hall", true],
    );
    assert.deepEqual([message?.["payload"], message?.["room"]], [Buffer.from([0, 1]), 7]);
    assert.ok(!("req" in (message ?? {})));
  });

  it("leaves out what is older than its cutoff", async () => {
    await using service = await startService(oftenLogins);
    await set(service, "hall", "1");
    await start(
      flowOf(service, { portals: "hall", cutoff: 3_600_000, result: "array" }),
      credentials,
    );
    node("g1").receive({});
    assert.deepEqual(payloads(await listOf("k1")), [1]);
  });

  it("answers questions that come at once in their order", async () => {
    await using service = await startService(oftenLogins);
    await start([...flowOf(service, { result: "array" }), out({ portal: "p7" })], credentials);
    const order = Array.from({ length: 40 }, (_, index) => index);
    for (const index of order) node("g1").receive({ topic: `p${index}`, index });
    assert.deepEqual(
      (await taken("k1", 40)).map(({ index }) => index),
      order,
    );
  });

  it("lets a thousand questions wait, and tells one more that there are too many", async () => {
    await using service = await startService(oftenLogins);
    await start(flowOf(service, { portals: "hall", mode: "watch" }), credentials);
    node("g1").receive({ index: 0 });
    await until(() => service.server.stats.waitingGets === 1);
    for (let index = 1; index <= 1_000; index += 1) node("g1").receive({ index });
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.deepEqual([caught?.error.code, caught?.["index"]], ["XRTC_QUEUE_FULL", 1_000]);
  });

  it("settles what waits when it is removed, and asks again after a deploy", async () => {
    await using service = await startService(oftenLogins);
    const flow = flowOf(service, { portals: "hall", mode: "watch" });
    await start(flow, credentials);
    node("g1").receive({ index: 1 });
    node("g1").receive({ index: 2 });
    await until(() => service.server.stats.waitingGets === 1);
    await deploy(flow);
    await until(() => service.server.stats.waitingGets === 1);
    await set(service, "hall", "x");
    const [first] = await taken("k1", 1);
    assert.deepEqual([first?.["index"], first?.["payload"]], [1, "x"]);
    await until(() => service.server.stats.waitingGets === 1);
    await deploy(
      flow.filter(({ id }) => id !== "g1"),
      "nodes",
    );
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.deepEqual([caught?.error.code, caught?.["index"]], ["XRTC_CLOSED", 2]);
    assert.equal(service.server.stats.logins, 2, "one of the nodes, one of this test");
  });

  it("takes no address, key or header from a message, nor a prototype (A16)", async () => {
    await using service = await startService(oftenLogins);
    await using decoy = await startService();
    await set(service, "hall", "1");
    await start(flowOf(service, { schedule: "FIFO" }), credentials);
    const urls = {
      url: decoy.baseUrl,
      baseUrl: decoy.baseUrl,
      getUrl: `${decoy.baseUrl}/item/get`,
    };
    const hostile = {
      accountid: "AC9",
      apikey: "x".repeat(32),
      headers: { cookie: "a=b" },
      mode: "all",
    };
    const proto = JSON.parse('{"__proto__":{"polluted":true}}') as object;
    node("g1").receive({ topic: "hall", ...urls, ...hostile, ...proto });
    const [answer] = await taken("k1", 1);
    assert.deepEqual([answer?.["payload"], answer?.["url"]], [1, decoy.baseUrl]);
    assert.equal(Object.getPrototypeOf(answer), Object.prototype);
    assert.equal(({} as Message)["polluted"], undefined);
    assert.equal(decoy.server.stats.requests, 0);
    assert.equal(service.server.stats.logins, 2, "one of the node, one of this test");
  });

  it("runs its example: two portals are set, got and listed", async () => {
    const path = join(__dirname, "../../examples/02 Set, get and list.json");
    const flow = JSON.parse(readFileSync(path, "utf8")) as Flow;
    const id = (name: string): string => {
      const found = flow.find((each) => each["name"] === name);
      assert.ok(found !== undefined, name);
      return found.id;
    };
    const asSinks = flow
      .filter(({ type }) => type !== "inject" && type !== "group" && type !== "comment")
      .map((each) => (each.type === "debug" ? { ...each, type: "sink" } : each));
    await start(asSinks, {});
    node(id("set")).receive({ topic: "kitchen", payload: 21.5 });
    node(id("set")).receive({ topic: "hall", payload: 18 });
    await badge(id("set"), connected);
    node(id("hall")).receive({});
    assert.deepEqual(payloads(await taken(id("each item"), 1)), [18]);
    node(id("kitchen")).receive({});
    assert.deepEqual(payloads(await taken(id("each item"), 1)), [21.5]);
    node(id("all portals")).receive({});
    assert.equal((await listOf(id("list of portals"))).length, 2);
  });
});

describe("L7 at the nodes", () => {
  afterEach(stop);

  it("an eleventh portal is a clear error, to the one who sets it and to the one who asks for eleven", async () => {
    await using service = await startService({
      preset: "hosted",
      limits: { loginIntervalMsMin: 0, requestsPerSecondMax: 1_000 },
    });
    const flow = [...flowOf(service), out()];
    await start(flow, credentials);
    const ids = Array.from({ length: 11 }, (_, index) => `p${index}`);
    for (const topic of ids) node("o1").receive({ topic, payload: "x" });
    const [set11] = (await taken("caught", 1)) as Caught[];
    assert.equal(set11?.error.code, "XRTC_ITEM_REFUSED");
    assert.match(set11?.error.message ?? "", /portals/);
    assert.equal(set11?.["topic"], "p10");
    node("g1").receive({ portals: ids });
    const [get11] = (await taken("caught", 1)) as Caught[];
    assert.equal(get11?.error.code, "XRTC_ITEM_REFUSED");
    assert.match(get11?.error.message ?? "", /portals/);
    node("g1").receive({ portals: ids.slice(0, 10) });
    assert.equal((await taken("k1", 10)).length, 10);
  });

  it("two xrtc-in on one portal share one upstream, and each gets every item", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      ...["i1", "i2"].map((id) => input(id, "hall")),
      ...["k1", "k2"].map(sink),
    ];
    await start(flow, credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await until(() => service.server.stats.waitingGets > 0);
    await set(service, "hall", "1", "2", "3");
    assert.deepEqual(payloads(await taken("k1", 3)), [1, 2, 3]);
    assert.deepEqual(payloads(await taken("k2", 3)), [1, 2, 3]);
    assert.equal(service.server.stats.waitingGets, 1);
  });

  for (const [where, extensions] of [
    ["where items are numbered", {}],
    ["where they are not", { seq: false, idempotency: false, order: false }],
  ] as const) {
    it(`a get takes nothing from a stream, nor a stream from a get, ${where}`, async () => {
      await using service = await startService({ ...oftenLogins, extensions });
      await set(service, "hall", "old");
      const flow = [
        ...flowOf(service, { portals: "hall", schedule: "FIFO" }),
        get("g2", { portals: "hall", mode: "watch", schedule: "FIFO" }),
        sink("k2"),
        input("i3", "hall"),
        sink("k3"),
      ];
      await start(flow, credentials);
      await badge("i3", connected);
      node("g1").receive({});
      node("g2").receive({});
      assert.deepEqual(payloads(await taken("k1", 1)), ["old"], "what was there before");
      assert.deepEqual(payloads(await taken("k2", 1)), ["old"]);
      const client = service.client();
      const all = Array.from({ length: 60 }, (_, index) => index);
      const streamed = taken("k3", 60);
      for (const index of all) {
        await client.setItems([{ portalId: "hall", payload: String(index) }]);
        if (index % 7 === 0) node("g1").receive({});
        if (index % 11 === 0) node("g2").receive({});
      }
      assert.deepEqual(
        payloads(await streamed),
        all,
        "the stream lost nothing, and got nothing twice",
      );
      node("g1").receive({});
      assert.deepEqual(payloads(await taken("k1", 60)), all, "nor did the one who asked");
      node("g2").receive({});
      assert.deepEqual(payloads(await taken("k2", 60)), all, "nor the one who waited");
      assert.deepEqual(errors("g1"), []);
    });
  }
});
