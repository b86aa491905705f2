import assert from "node:assert/strict";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { XrtcServer } from "../../src/server/index.js";
import { catchAll, config, credentials, input, out, sink, tab } from "./flows.js";
import {
  badge,
  badges,
  deploy,
  errors,
  events,
  type Message,
  node,
  start,
  stop,
  taken,
  untaken,
  until,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

describe("xrtc-in", () => {
  afterEach(stop);

  it("sends one fresh message for each item, in order, to each of two nodes on one upstream", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      out({ portal: "hall" }),
      input("i1", "hall"),
      input("i2", "hall"),
      sink("k1"),
      sink("k2"),
    ];
    await start(flow, credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    for (let count = 0; count < 200; count += 1) node("o1").receive({ payload: { count } });
    const [one, two] = await Promise.all([taken("k1", 200), taken("k2", 200)]);
    const counts = Array.from({ length: 200 }, (_, count) => ({ count }));
    assert.deepEqual(
      one.map(({ payload }) => payload),
      counts,
    );
    assert.deepEqual(
      two.map(({ payload }) => payload),
      counts,
    );
    assert.notEqual(one[0]?.["payload"], two[0]?.["payload"], "nothing is shared");
    assert.deepEqual([one[0]?.["topic"], one[0]?.["portalid"]], ["hall", "hall"]);
    assert.equal(typeof one[0]?.["servertimestamp"], "number");
    assert.equal(service.server.stats.waitingGets, 1);
    assert.equal(service.server.stats.logins, 1);
  });

  for (const [begin, expected] of [
    ["all", ["before", "after"]],
    ["new", ["after"]],
  ] as const) {
    it(`watches when told to, and begins with ${begin} items when told to`, async () => {
      await using service = await startService(oftenLogins);
      await service.client().setItems([{ portalId: "hall", payload: "before" }]);
      const reader = input("i1", "hall", { mode: "watch", start: begin, output: "string" });
      await start([tab, config(service.baseUrl), reader, sink("k1"), out()], credentials);
      await badge("i1", connected);
      node("o1").receive({ topic: "hall", payload: "after" });
      const messages = await taken("k1", expected.length);
      assert.deepEqual(
        messages.map(({ payload }) => payload),
        expected,
      );
    });
  }

  it("reports an item that its output cannot take, and delivers the neighbours", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall", { output: "json" }),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    const payloads = ["1", "no json", "2"];
    await service.client().setItems(payloads.map((payload) => ({ portalId: "hall", payload })));
    const messages = await taken("k1", 2);
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.deepEqual(
      messages.map(({ payload }) => payload),
      [1, 2],
    );
    assert.equal(caught?.error.code, "XRTC_ITEM_MALFORMED");
    assert.equal(caught?.["portalid"], "hall");
  });

  it("misses nothing that is set while the flows are redeployed, and gets nothing twice", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), input("i1", "hall"), sink("k1")];
    await start(flow, credentials);
    await badge("i1", connected);
    const client = service.client();
    for (let round = 0; round < 10; round += 1) {
      const set = new Promise<unknown>((resolve) => {
        events().once("flows:stopped", () => {
          resolve(client.setItems([{ portalId: "hall", payload: String(round) }]));
        });
      });
      await deploy(flow);
      await set;
      const [message] = await taken("k1", 1);
      assert.equal(message?.["payload"], round);
    }
    assert.equal(untaken("k1"), 0);
  });

  it("is one login and one upstream through fifty full redeploys, and leaves nothing behind", async () => {
    await throughDeploys(1);
    const before = openResources();
    await throughDeploys(50);
    await until(() => openResources() === before);
  });

  it("with refused credentials turns red and reports once, with the service's words and code", async () => {
    await using service = await startService(oftenLogins);
    const wrong = { c1: { accountId: ACCOUNT_ID, apiKey: "x".repeat(32) } };
    const flow = [tab, config(service.baseUrl), input("i1", "hall"), sink("k1"), ...catchAll];
    await start(flow, wrong);
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_CREDENTIALS_REFUSED");
    assert.match(caught?.error.message ?? "", /code 35/);
    const { text } = await badge("i1", { fill: "red", shape: "dot" });
    assert.ok(text !== undefined && caught?.error.message.includes(text.slice(0, -1)), text);
    assert.equal(errors("i1").length, 1);
    assert.equal(service.server.stats.requests, 1);
  });

  it("without a usable configuration turns red, reports once to Catch and sends no request", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "front-door"),
      input("i2", "hall", { config: "nowhere" }),
      input("i3", "hall"),
      ...catchAll,
    ];
    await start(flow, { c1: { accountId: "${XRTC_TEST_UNSET}", apiKey: "${XRTC_TEST_UNSET}" } });
    const all = (await taken("caught", 3)) as Caught[];
    assert.deepEqual(all.map(({ error }) => error.code).toSorted(), [
      "XRTC_CREDENTIALS_MISSING",
      "XRTC_OPTIONS",
      "XRTC_OPTIONS",
    ]);
    for (const id of ["i1", "i2", "i3"]) await badge(id, { fill: "red", shape: "dot" });
    assert.equal(untaken("caught"), 0);
    assert.equal(service.server.stats.requests, 0);
  });

  it("that names more portals than the service has turns red, says so once and reads nothing (L7)", async () => {
    await using service = await startService(oftenLogins);
    const eleven = Array.from({ length: 11 }, (_, index) => `p${index}`).join();
    const flow = [tab, config(service.baseUrl, { limits: "hosted" }), input("i1", eleven)];
    await start([...flow, sink("k1"), ...catchAll], credentials);
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_OPTIONS");
    assert.match(caught?.error.message ?? "", /11 portals are too many: 10 are allowed/);
    await badge("i1", { fill: "red", shape: "dot" });
    assert.equal(service.server.stats.requests, 0);
  });

  it("is connected only when its own reading has begun, whoever else is", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), input("i1", "hall")];
    await start([...flow, sink("k1")], credentials);
    await badge("i1", connected);
    await deploy([...flow, sink("k1"), input("i2", "attic"), sink("k2")], "nodes");
    await badge("i2", connected);
    const looks = badges("i2").map(({ fill }) => fill);
    assert.deepEqual(looks, ["yellow", "green"]);
  });

  it("says on its badge how many items come in a second", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), input("i1", "hall")];
    await start([...flow, sink("k1")], credentials);
    await badge("i1", connected);
    const items = Array.from({ length: 500 }, (_, payload) => ({ payload }));
    node("o1").receive({ items });
    await taken("k1", items.length);
    await until(() => badges("i1").some(({ text }) => /connected, \d+\/s$/.test(text ?? "")));
    await badge("i1", { ...connected, text: "node-red:common.status.connected" });
  });

  it("says on its badge that the server is away, tries again by itself and goes on when it is back", async () => {
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
    const first = new XrtcServer({ port: 0, accounts });
    const baseUrl = await first.listen();
    const port = Number(new URL(baseUrl).port);
    const flow = [
      tab,
      config(baseUrl),
      out({ portal: "hall" }),
      input("i1", "hall"),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    await first.close();
    const { text } = await badge("i1", { fill: "red", shape: "ring" });
    assert.match(text ?? "", /retry/);
    const second = new XrtcServer({ port, accounts });
    await second.listen();
    try {
      await badge("i1", connected);
      node("o1").receive({ payload: "again" });
      const [message] = await taken("k1", 1);
      assert.equal(message?.["payload"], "again");
      const looks = badges("i1").map(({ fill, shape }) => `${fill} ${shape}`);
      assert.ok(looks.length <= 6, looks.join(", "));
      assert.equal(errors("i1").length, 0);
      assert.equal(untaken("caught"), 0);
    } finally {
      await stop();
      await second.close();
    }
  });
});

/** Timers, sockets and servers of this process. */
const openResources = (): string =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /Timeout|TCP/.test(name))
    .toSorted()
    .join();

/** A message through the flow, to both readers. */
async function exchange(payload: string): Promise<void> {
  node("o1").receive({ payload });
  const messages = await Promise.all([taken("k1", 1), taken("k2", 1)]);
  assert.deepEqual(
    messages.flat().map((message) => message["payload"]),
    [payload, payload],
  );
}

/** The life of a flow with two readers of one portal, from start to stop. */
async function throughDeploys(rounds: number): Promise<void> {
  await using service = await startService();
  const flow = [
    tab,
    config(service.baseUrl),
    out({ portal: "hall" }),
    input("i1", "hall"),
    input("i2", "hall"),
    sink("k1"),
    sink("k2"),
  ];
  await start(flow, credentials);
  await badge("i1", connected);
  await exchange("first");
  const listeners = listenerCounts();
  const { sockets } = service.server.stats;
  for (let round = 0; round < rounds; round += 1) await deploy(flow);
  await exchange("last");
  const { logins, waitingGets, sessions, ...rest } = service.server.stats;
  assert.deepEqual({ logins, waitingGets, sessions }, { logins: 1, waitingGets: 1, sessions: 1 });
  assert.ok(rest.sockets <= sockets + 1, "no socket for each deploy");
  assert.deepEqual(listenerCounts(), listeners);
  assert.equal(untaken("k1") + untaken("k2"), 0);
  await stop();
  await until(() => service.server.stats.sockets === 0);
}

/** Listeners on what outlives a deploy. */
const listenerCounts = (): Record<string, number> =>
  Object.fromEntries(
    [
      ...events()
        .eventNames()
        .map((name) => [String(name), events().listenerCount(name)] as const),
      ...process.eventNames().map((name) => [String(name), process.listenerCount(name)] as const),
    ].toSorted(([a], [b]) => a.localeCompare(b)),
  );
