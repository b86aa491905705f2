/** The rest of what a user of the MQTT nodes knows: what settings, messages and dialogs can do; see comfort.test.ts. */

import assert from "node:assert/strict";
import { ACCOUNT_ID, startService } from "../support/service.js";
import { ask } from "./admin.js";
import { catchAll, complete, config, credentials, input, out, sink, tab } from "./flows.js";
import { badge, type Message, node, start, stop, taken, untaken } from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;
/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);
const codes = (messages: readonly Message[]): unknown[] =>
  (messages as readonly Caught[]).map(({ error }) => error.code);

/** Sends the reading node a verb, and resolves when it is done with it. */
async function tell(action: string, topic = ""): Promise<void> {
  node("i1").receive({ action, topic });
  await taken("completed", 1);
}

describe("Beyond the MQTT nodes:", () => {
  afterEach(stop);

  it("dynamic control: the verbs and no other word, on the sending and on the receiving side", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      out({ acknowledge: true, outputs: 1, wires: [["sent"]] }),
      sink("sent"),
      input("i1", "", { dynamic: true, inputs: 1, start: "all" }),
      sink("k1"),
      ...complete("i1"),
    ];
    await start(flow, credentials);
    const answer = async (action: string): Promise<unknown> => {
      await tell(action);
      return (await taken("k1", 1))[0]?.["payload"];
    };
    await tell("subscribe", "hall");
    assert.deepEqual(await answer("getSubscriptions"), ["hall"]);
    node("o1").receive({ action: "pause" });
    // A light is switched on with this word.
    node("o1").receive({ action: "on", topic: "hall", payload: "first" });
    node("o1").receive({ action: "getStatus" });
    const [{ payload: paused } = {}] = await taken("sent", 1);
    assert.deepEqual([(paused as { queued?: number }).queued, untaken("k1")], [1, 0]);
    node("o1").receive({ action: "flush" });
    assert.deepEqual(payloads(await taken("k1", 1)), ["first"]);
    await tell("pause");
    node("o1").receive({ action: "resume" });
    node("o1").receive({ topic: "hall", payload: "second" });
    assert.deepEqual(payloads(await taken("sent", 2)), ["first", "second"]);
    assert.equal(untaken("k1"), 0);
    await tell("resume");
    assert.deepEqual(payloads(await taken("k1", 1)), ["second"]);
    assert.equal((await answer("getStatus")) instanceof Object, true);
    await tell("unsubscribe", "hall");
    assert.deepEqual(await answer("getSubscriptions"), []);
    node("o1").receive({ action: "disconnect" });
    node("o1").receive({ topic: "hall", payload: "third" });
    node("o1").receive({ action: "connect" });
    assert.deepEqual(payloads(await taken("sent", 1)), ["third"]);
  });

  it("output format: auto never guesses Base64, and string, JSON, Buffer, Base64 or the whole message on demand", async () => {
    await using service = await startService(oftenLogins);
    const formats = ["auto", "string", "json", "buffer", "base64", "message"];
    const parts = formats.flatMap((output, at) => [
      input(`i${at}`, `p${at}`, { output }),
      sink(`k${at}`),
    ]);
    const flow = [
      tab,
      config(service.baseUrl),
      ...parts,
      out(),
      out({ id: "o2", encode: "message", properties: "retain" }),
      ...catchAll,
    ];
    await start(flow, credentials);
    await Promise.all(formats.map((_, at) => badge(`i${at}`, connected)));
    const bytes = Buffer.from([1, 2, 250]);
    const sent = ['{"a":1}', '{"a":1}', { a: 1 }, bytes, bytes] as const;
    for (const [at, payload] of sent.entries()) node("o1").receive({ topic: `p${at}`, payload });
    node("o2").receive({
      topic: "home/hall",
      portalid: "p5",
      payload: bytes,
      retain: true,
      secret: 1,
    });
    const all = await Promise.all(formats.map((_, at) => taken(`k${at}`, 1)));
    assert.deepEqual(payloads(all.flat()), [{ a: 1 }, '{"a":1}', { a: 1 }, bytes, "AQL6", bytes]);
    const { topic, retain, secret, portalid } = all[5]?.[0] ?? {};
    assert.deepEqual([topic, retain, secret, portalid], ["home/hall", true, undefined, "p5"]);
    await service.client().setItems([{ portalId: "p0", payload: "AQL6" }]);
    assert.deepEqual(payloads(await taken("k0", 1)), ["AQL6"], "no guess");
    assert.equal(untaken("caught"), 0);
  });

  it("blank field: the portal is taken from the message, or from wherever a typed input points", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      out(),
      out({ id: "o2", portalType: "msg", portal: "room.portal" }),
      out({ id: "o3", portalType: "flow", portal: "room" }),
      out({ id: "o4", portalType: "jsonata", portal: "'p' & room.number" }),
      input("i1", "p1 p2 p3 p4 p5"),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    node("o3").context().flow.set("room", "p4");
    node("o1").receive({ portalid: "p1", topic: "p9", payload: "portalid" });
    node("o1").receive({ topic: "p2", payload: "topic" });
    node("o2").receive({ room: { portal: "p3" }, payload: "msg" });
    node("o3").receive({ payload: "flow" });
    node("o4").receive({ room: { number: 5 }, payload: "jsonata" });
    const messages = await taken("k1", 5);
    assert.deepEqual(
      messages.map(({ portalid, payload }) => `${String(portalid)} ${String(payload)}`).toSorted(),
      ["p1 portalid", "p2 topic", "p3 msg", "p4 flow", "p5 jsonata"],
    );
    node("o1").receive({ payload: "nowhere" });
    assert.deepEqual(codes(await taken("caught", 1)), ["XRTC_PORTAL_MISSING"]);
  });

  it("limits and quota: size, portals and the month are checked before anything is sent, and shown", async () => {
    await using service = await startService({ preset: "hosted", ...oftenLogins });
    const limited = config(service.baseUrl, { limits: "hosted", monthRequestsMax: "1000" });
    const many = Array.from({ length: 11 }, (_, at) => `p${at}`).join(" ");
    const flow = [tab, limited, out(), input("i1", many), ...catchAll, ...complete("o1")];
    await start(flow, credentials);
    assert.deepEqual(codes(await taken("caught", 1)), ["XRTC_OPTIONS"]);
    node("o1").receive({ topic: "hall", payload: "é".repeat(600) });
    assert.deepEqual(codes(await taken("caught", 1)), ["XRTC_PAYLOAD_TOO_LARGE"]);
    assert.equal(service.server.stats.requests, 0);
    node("o1").receive({ topic: "hall", payload: "x" });
    await taken("completed", 1);
    const { body } = await ask("xrtc/config/c1/status");
    const month = new Date().toISOString().slice(0, 7);
    assert.deepEqual(body["usage"], { used: 2, max: 1_000, month, level: "ok" });
  });

  it("migration of saved settings: what the first version saved works, and what a newer one saved is refused", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      { ...config(service.baseUrl), version: 1 },
      { ...out({ portal: "hall" }), version: 1 },
      // As the first version saved it; later settings have their defaults.
      { ...input("i1", "hall", { mode: "stream", schedule: "FIFO", cutoff: "-1" }), version: 1 },
      out({ id: "o2", portal: "hall", version: 99 }),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    node("o1").receive({ payload: "as ever" });
    assert.deepEqual(payloads(await taken("k1", 1)), ["as ever"]);
    node("o2").receive({ payload: "x" });
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.match(caught?.error.message ?? "", /saved by a newer version/);
  });

  it('"Test connection": tells round trip, clock and portals, or what is wrong, by the live session', async () => {
    await using service = await startService();
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    node("o1").receive({ payload: "x" });
    await taken("completed", 1);
    const fields = { service: "custom", baseUrl: service.baseUrl };
    const { status, body } = await ask("xrtc/config/c1/test", fields);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).toSorted(), ["clockOffsetMs", "portals", "roundTripMs"]);
    assert.deepEqual(body["portals"], ["hall"]);
    assert.equal(service.server.stats.logins, 1);
    const list = await ask("xrtc/config/c1/portals");
    assert.deepEqual(list.body, { portals: ["hall"] });
    const wrong = { accountId: ACCOUNT_ID, apiKey: "x".repeat(32) };
    const refused = await ask("xrtc/config/c1/test", { ...fields, ...wrong });
    assert.deepEqual([refused.status, refused.body["code"]], [400, "XRTC_CREDENTIALS_REFUSED"]);
    assert.equal(typeof refused.body["remedy"], "string");
  });
});
