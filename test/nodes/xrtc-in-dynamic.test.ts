import assert from "node:assert/strict";
import { startService } from "../support/service.js";
import { catchAll, complete, config, credentials, input, out, sink, tab } from "./flows.js";
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

const connected = { fill: "green", shape: "dot" } as const;
const paused = { fill: "grey", shape: "ring" } as const;

/** An xrtc-in that takes messages, with its items in `k1` and its gaps in `gaps`. */
const dynamic = (portals: string, more: object = {}) =>
  input("i1", portals, { dynamic: true, inputs: 1, ...more });

/** Sends the node a message, and resolves when it is done with it. */
async function tell(message: object): Promise<void> {
  node("i1").receive({ ...message });
  await taken("completed", 1);
}

/** What the node answers a question. */
async function ask(action: string): Promise<Message> {
  await tell({ action, question: action });
  const [answer] = await taken("k1", 1);
  assert.equal(answer?.["question"], action, "the message itself comes back");
  return answer;
}

const set = (topic: string, payload: unknown): void => node("o1").receive({ topic, payload });

const payloadsOf = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

const flowOf = (baseUrl: string, reader: ReturnType<typeof input>, more: object = {}) => [
  tab,
  config(baseUrl, more),
  out(),
  reader,
  sink("k1"),
  ...complete("i1"),
  ...catchAll,
];

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

describe("an xrtc-in whose portals are changed by messages", () => {
  afterEach(stop);

  it("reads what it is told to, and leaves in peace what it reads already", async () => {
    await using service = await startService();
    await start(flowOf(service.baseUrl, dynamic("", { start: "all" })), credentials);
    assert.deepEqual((await ask("getSubscriptions")).payload, []);
    assert.equal(service.server.stats.requests, 0, "nothing to read, nothing asked");

    await tell({ action: "subscribe", topic: "hall" });
    for (let count = 0; count < 20; count += 1) set("hall", count);
    await tell({ action: "subscribe", portals: ["attic", "hall"], topic: "ignored" });
    for (let count = 20; count < 40; count += 1) set("hall", count);
    assert.deepEqual(
      payloadsOf(await taken("k1", 40)),
      Array.from({ length: 40 }, (_, count) => count),
    );
    const { topic, payload } = await ask("getSubscriptions");
    assert.deepEqual([topic, payload], ["subscriptions", ["hall", "attic"]]);

    set("attic", "up here");
    const [message] = await taken("k1", 1);
    assert.deepEqual([message?.["portalid"], message?.["payload"]], ["attic", "up here"]);

    await tell({ action: "unsubscribe", portals: "hall" });
    set("hall", "for nobody");
    set("attic", "still here");
    assert.deepEqual(payloadsOf(await taken("k1", 1)), ["still here"]);
    await tell({ action: "unsubscribe", portals: "attic never" });
    await until(() => service.server.stats.waitingGets === 0);
    assert.equal(untaken("k1") + untaken("caught"), 0);
    assert.equal(service.server.stats.logins, 1);
  });

  it("begins anew with the portals of its settings when it is deployed again", async () => {
    await using service = await startService();
    const flow = flowOf(service.baseUrl, dynamic("hall"));
    await start(flow, credentials);
    await badge("i1", connected);
    await tell({ action: "subscribe", topic: "attic" });
    await tell({ action: "unsubscribe", topic: "hall" });
    await deploy(flow);
    await badge("i1", connected);
    assert.deepEqual((await ask("getSubscriptions")).payload, ["hall"]);
  });

  it("misses nothing through a deploy, and gets nothing twice", async () => {
    await using service = await startService({ limits: { loginIntervalMsMin: 0 } });
    const flow = flowOf(service.baseUrl, dynamic("hall, attic"));
    await start(flow, credentials);
    await badge("i1", connected);
    const client = service.client();
    for (let round = 0; round < 5; round += 1) {
      const stored = new Promise<unknown>((resolve) => {
        events().once("flows:stopped", () => {
          const items = ["hall", "attic"].map((portalId) => ({ portalId, payload: `${round}` }));
          resolve(client.setItems(items));
        });
      });
      await deploy(flow);
      await stored;
      assert.deepEqual(payloadsOf(await taken("k1", 2)), [round, round]);
    }
    assert.equal(untaken("k1"), 0);
  });

  it("refuses more portals than the service has, all of that message, and goes on with the others", async () => {
    await using service = await startService();
    const ten = Array.from({ length: 10 }, (_, index) => `p${index}`);
    const flow = flowOf(service.baseUrl, dynamic(ten.slice(0, 9).join(), { start: "all" }), {
      limits: "hosted",
    });
    await start(flow, credentials);
    await badge("i1", connected);
    node("i1").receive({ action: "subscribe", portals: ["p9", "p10"] });
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_OPTIONS");
    assert.match(caught?.error.message ?? "", /11 portals are too many: 10 are allowed/);
    assert.deepEqual((await ask("getSubscriptions")).payload, ten.slice(0, 9));
    await tell({ action: "subscribe", portals: ["p9"] });
    set("p9", "the tenth");
    assert.deepEqual(payloadsOf(await taken("k1", 1)), ["the tenth"]);
  });

  it("reports a message that it does not understand, and takes none of its portals", async () => {
    await using service = await startService();
    const flow = flowOf(service.baseUrl, dynamic("hall"));
    await start([...flow, input("i2", "hall")], credentials);
    const messages = [
      { action: "connect", topic: "attic" },
      { topic: "attic", payload: "set me" },
      { action: "subscribe", payload: "nothing named" },
      { action: "subscribe", portals: ["attic", "home/hall"] },
    ];
    for (const message of messages) node("i1").receive(message);
    const caught = (await taken("caught", messages.length)) as Caught[];
    assert.deepEqual(
      caught.map(({ error }) => error.code),
      ["XRTC_OPTIONS", "XRTC_OPTIONS", "XRTC_PORTAL_MISSING", "XRTC_PORTAL_INVALID"],
    );
    assert.deepEqual((await ask("getSubscriptions")).payload, ["hall"]);
    node("i2").receive({ action: "pause" });
    const [fixed] = (await taken("caught", 1)) as Caught[];
    assert.match(fixed?.error.message ?? "", /takes no messages/);
  });

  it("keeps what comes while it is paused, while another node on the portal goes on", async () => {
    await using service = await startService();
    const flow = flowOf(service.baseUrl, dynamic("hall"));
    await start([...flow, input("i2", "hall"), sink("k2")], credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await tell({ action: "pause" });
    await badge("i1", paused);
    for (let count = 0; count < 50; count += 1) set("hall", count);
    await taken("k2", 50);
    const { payload } = await ask("getStatus");
    assert.deepEqual([payload].map(kindAndQueue), [["paused", 50]]);
    assert.equal(untaken("k1"), 0);
    await tell({ action: "resume" });
    assert.deepEqual(
      payloadsOf(await taken("k1", 50)),
      Array.from({ length: 50 }, (_, count) => count),
    );
    set("hall", "after");
    assert.deepEqual(payloadsOf(await taken("k1", 1)), ["after"]);
    await badge("i1", connected);
  });

  it("keeps the newest thousand while it is paused, and tells how many had to go", async () => {
    await using service = await startService();
    const reader = dynamic("hall", { gaps: true, outputs: 2, wires: [["k1"], ["gaps"]] });
    const flow = flowOf(service.baseUrl, reader);
    await start([...flow, sink("gaps"), input("i2", "hall"), sink("k2")], credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await tell({ action: "pause" });
    const items = Array.from({ length: 1_005 }, (_, payload) => ({ payload, portalid: "hall" }));
    node("o1").receive({ items });
    await taken("k2", items.length);
    await tell({ action: "resume" });
    const [gap] = await taken("gaps", 1);
    assert.deepEqual(
      [gap?.["topic"], gap?.["payload"]],
      ["hall", { portalid: "hall", reason: "queue", missing: 5 }],
    );
    const messages = await taken("k1", 1_000);
    assert.deepEqual([messages[0]?.["payload"], messages.at(-1)?.["payload"]], [5, 1_004]);
  });

  it("answers getStatus with what its badge says", async () => {
    await using service = await startService();
    await start(flowOf(service.baseUrl, dynamic("hall")), credentials);
    await badge("i1", connected);
    const { payload } = await ask("getStatus");
    const { fill, shape, text } = badges("i1").at(-1) ?? {};
    assert.deepEqual(payload, { fill, shape, text, kind: "connected", queued: 0, perSecond: 0 });
  });

  it("says at a deploy that what it kept is given up, and leaves nothing behind", async () => {
    await using service = await startService();
    const flow = flowOf(service.baseUrl, dynamic("hall"));
    await start([...flow, input("i2", "hall"), sink("k2")], credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    await tell({ action: "pause" });
    set("hall", "kept");
    await taken("k2", 1);
    const old = node("i1") as unknown as { warn: { args: unknown[][] } };
    await deploy(flow);
    assert.match(String(old.warn.args.flat()[0]), /^xrtc-in\.heldLost|1 items/);
    await badge("i1", connected);
    set("hall", "later");
    assert.deepEqual(payloadsOf(await taken("k1", 1)), ["later"]);
    assert.equal(errors("i1").length, 0);
  });
});

const kindAndQueue = (payload: unknown): unknown[] => {
  const { kind, queued } = payload as { kind: string; queued: number };
  return [kind, queued];
};
