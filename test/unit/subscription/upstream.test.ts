import assert from "node:assert/strict";
import { XrtcClient } from "../../../src/client/client.js";
import { isXrtcError } from "../../../src/errors.js";
import type { Item } from "../../../src/protocol/item.js";
import type { Subscription } from "../../../src/subscription/subscription.js";
import type { PostRequest } from "../../../src/transport/transport.js";
import { Barrier } from "../../support/barrier.js";
import { type Answer, ScriptedTransport } from "../../support/scripted-transport.js";
import { credentials } from "../../support/service.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const MINUTE = 60_000;

interface GetBody {
  readonly mode: string;
  readonly portals: readonly { readonly portalid: string; readonly servertimestamp?: number }[];
}

const NUMBERED: Answer = {
  body: [JSON.stringify({ servertimestamp: 1_700_000_000_000, epoch: "e", extensions: ["seq"] })],
};

/** A service of one session at a time, and a client of it, in virtual time. */
function setUp() {
  const clock = new VirtualClock();
  const stored: Item[] = [];
  const gets: { readonly at: number; readonly mode: string; readonly portals: string[] }[] = [];
  const service = { isAway: false, logins: 0 };
  let position = new Map<string, number>();

  function get({ body }: PostRequest): Answer {
    const { mode, portals } = JSON.parse(body) as GetBody;
    gets.push({ at: clock.now(), mode, portals: portals.map(({ portalid }) => portalid) });
    const wanted = stored.filter(({ portalId, serverTimestamp }, index) => {
      const asked = portals.find(({ portalid }) => portalid === portalId);
      if (asked === undefined) return false;
      return asked.servertimestamp === undefined
        ? index >= (position.get(portalId) ?? 0)
        : serverTimestamp >= asked.servertimestamp;
    });
    for (const { portalid } of portals) position.set(portalid, stored.length);
    const items = wanted.map(({ portalId, payload, serverTimestamp }) => ({
      portalid: portalId,
      payload,
      servertimestamp: serverTimestamp,
    }));
    return { body: [JSON.stringify({ items })] };
  }

  const transport = new ScriptedTransport((request) => {
    if (service.isAway) return { status: 503, body: ["<html>"] };
    if (!request.url.endsWith("/auth/login")) return get(request);
    service.logins += 1;
    position = new Map();
    return { body: [JSON.stringify({ servertimestamp: Math.floor(clock.wallNow()) })] };
  });
  const client = new XrtcClient({
    ...credentials,
    baseUrl: "http://localhost/v1",
    ports: { clock, transport, random: { next: () => 0.5, id: () => "id" } },
  });
  return {
    clock,
    client,
    gets,
    service,
    set: (portalId: string, payload: string) =>
      stored.push({ portalId, payload, serverTimestamp: Math.floor(clock.wallNow()) }),
  };
}

/** What a subscription has brought so far. */
function collect(subscription: Subscription): string[] {
  const payloads: string[] = [];
  void (async () => {
    for await (const { payload } of subscription) payloads.push(payload);
  })();
  return payloads;
}

describe("A portal that joins while the login is on its way", () => {
  it("is asked for at once where items are numbered, and not only when the turn has ended", async () => {
    const clock = new VirtualClock();
    const gets: string[][] = [];
    const login = new Barrier();
    const transport = new ScriptedTransport(({ url, body }) => {
      if (url.endsWith("/auth/login")) return login.passed.then(() => NUMBERED);
      gets.push((JSON.parse(body) as GetBody).portals.map(({ portalid }) => portalid));
      return undefined;
    });
    const client = new XrtcClient({
      ...credentials,
      baseUrl: "http://localhost/v1",
      ports: { clock, transport, random: { next: () => 0.5, id: () => "id" } },
    });
    client.subscribe({ portals: ["hall"], start: "all" });
    await clock.advance(100);
    client.subscribe({ portals: ["attic"], start: "all" });
    await clock.advance(100);
    login.open();
    await clock.advance(100);
    assert.deepEqual(gets, [["hall"], ["hall", "attic"]]);
    await client.close();
  });
});

describe("A subscription that probes", () => {
  it("asks once in its time while nothing comes, and brings each item once when something has", async () => {
    const { clock, client, gets, service, set } = setUp();
    set("hall", "before");
    const payloads = collect(client.subscribe({ portals: ["hall"], mode: "probe" }));
    await clock.advance(10 * MINUTE - 1);
    assert.equal(gets.length, 10);
    assert.deepEqual(payloads, []);
    set("hall", "one");
    set("hall", "two");
    await clock.advance(1_000);
    assert.deepEqual(payloads, ["one", "two"]);
    // The second says that nothing is left.
    assert.equal(gets.length, 12);
    await clock.advance(100 * MINUTE);
    assert.deepEqual(payloads, ["one", "two"], "also under new logins");
    assert.ok(service.logins > 50);
    assert.ok(gets.every(({ mode }) => mode === "probe"));
    await client.close();
    assert.equal(clock.timerCount, 0);
  });

  it("keeps to its times whatever a probe takes, and makes up for none that was missed", async () => {
    const { clock, client, gets, service, set } = setUp();
    const subscription = client.subscribe({ portals: ["hall"], mode: "probe", probeMs: 10_000 });
    const payloads = collect(subscription);
    await clock.advance(25_000);
    const [first = 0] = gets.map(({ at }) => at);
    assert.deepEqual(
      gets.map(({ at }) => at - first),
      [0, 10_000, 20_000],
    );
    service.isAway = true;
    await clock.advance(10 * MINUTE);
    const { value } = subscription.status;
    assert.equal(value.kind === "waiting" && value.cause.code, "XRTC_UNAVAILABLE");
    set("hall", "during the outage");
    service.isAway = false;
    const before = gets.length;
    await clock.advance(2 * MINUTE);
    assert.deepEqual(payloads, ["during the outage"]);
    assert.equal(subscription.status.value.kind, "connected");
    const later = gets.slice(before).map(({ at }) => (at - first) % 10_000);
    // The one that succeeded again, the one after it that brought nothing, then one each ten seconds.
    assert.ok(later.length > 4 && later.length <= 14, String(later));
    assert.deepEqual(new Set(later.slice(2)), new Set([0]));
    await client.close();
  });

  it("asks at once for a portal that joins, and not for one that leaves", async () => {
    const { clock, client, gets } = setUp();
    const probing = { mode: "probe", start: "all" } as const;
    const hall = client.subscribe({ portals: ["hall"], ...probing });
    await clock.advance(MINUTE / 2);
    assert.equal(gets.length, 1);
    const attic = client.subscribe({ portals: ["attic"], ...probing });
    await clock.advance(100);
    assert.deepEqual(gets.at(-1)?.portals, ["hall", "attic"]);
    assert.equal(attic.status.value.kind, "connected");
    await hall.close();
    await clock.advance(MINUTE / 2);
    assert.deepEqual(gets.at(-1)?.portals, ["attic"]);
    await client.close();
    assert.equal(clock.timerCount, 0);
  });

  it("shares the reader of a portal: at the shorter distance, or at once where another one streams", async () => {
    const { clock, client, gets } = setUp();
    client.subscribe({ portals: ["hall"], mode: "probe" });
    client.subscribe({ portals: ["hall"], mode: "probe", probeMs: 20_000 });
    await clock.advance(MINUTE);
    assert.ok(gets.length <= 5 && gets.every(({ mode }) => mode === "probe"), String(gets.length));
    client.subscribe({ portals: ["hall"], mode: "stream" });
    await clock.advance(1_000);
    assert.equal(gets.at(-1)?.mode, "stream");
    await client.close();
  });

  it("refuses a distance that no timer keeps or that is no number", async () => {
    const { client } = setUp();
    for (const probeMs of [999, 0, -1, NaN, 86_400_001, Infinity]) {
      assert.throws(
        () => client.subscribe({ portals: ["hall"], mode: "probe", probeMs }),
        (error) => isXrtcError(error, "XRTC_OPTIONS") && error.message.includes("probeMs"),
      );
    }
    await client.close();
  });
});
