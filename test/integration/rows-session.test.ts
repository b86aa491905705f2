import assert from "node:assert/strict";
import { isXrtcError, XrtcClient } from "../../src/index.js";
import { Barrier } from "../support/barrier.js";
import type { Fault } from "../support/fault-proxy.js";
import { faultStage, LOGIN, SET } from "../support/fault-stage.js";
import { rawService } from "../support/raw-service.js";
import { ACCOUNT_ID, API_KEY, credentials, startService, take } from "../support/service.js";

const bytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);

describe("Sessions", () => {
  it("S2: a session that is killed during a stream and five sets in flight costs one login, and nothing is lost", async () => {
    await using on = await faultStage({
      limits: { requestItemsMax: 1 },
      server: { secondLogin: "end" },
    });
    const subscription = on.client.subscribe({ portals: ["p"], start: "all" });
    await subscription.ready();
    await on.set("0");
    const arrived = new Barrier();
    on.proxy.plan = ({ path, pathIndex }): Fault | undefined =>
      path === SET && pathIndex >= 1 && pathIndex <= 5
        ? { kind: "hold", of: "request", until: arrived.passed }
        : undefined;
    const taking = take(subscription, 6);
    const sets = Promise.all(
      numbers(6)
        .slice(1)
        .map((payload) => on.set(payload)),
    );
    await on.proxy.reached(SET, 6);
    // Another login with the same key ends the session, and with it the stream; then the sets arrive.
    const other = on.service.client();
    await other.open();
    const before = on.proxy.count(LOGIN);
    arrived.open();
    await sets;
    assert.deepEqual(
      (await taking).map(({ payload }) => payload),
      numbers(6),
    );
    assert.equal(on.proxy.count(LOGIN), before + 1);
    assert.equal(on.service.server.stats.itemsSet, 6);
  });

  it("S9: ten users who begin at once share one login", async () => {
    await using on = await faultStage();
    const { client } = on;
    const subscriptions = numbers(5).map((id) => client.subscribe({ portals: [`s${id}`] }));
    await Promise.all([
      ...subscriptions.map((subscription) => subscription.ready()),
      ...numbers(5).map((payload) => on.set(payload)),
    ]);
    assert.equal(on.service.server.stats.logins, 1);
    assert.equal(on.proxy.count(LOGIN), 1);
  });

  it("S10: cookies that any answer renews go out with the next request, and deleted ones do not", async () => {
    await using raw = await rawService(({ call, index }, response) => {
      const cookies =
        call === "login"
          ? ["JSESSIONID=one; Path=/v1", "AWSALBAPP-0=a; Path=/"]
          : [
              ["AWSALBAPP-0=b; Path=/"],
              ["JSESSIONID=two; Path=/v1"],
              ["AWSALBAPP-0=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
              ["AWSALBAPP-0=c; Path=/; Max-Age=0"],
            ][index];
      if (cookies !== undefined) response.setHeader("set-cookie", cookies);
    });
    const client = raw.client();
    for (const payload of numbers(4)) await client.setItems([{ portalId: "p", payload }]);
    const sent = raw.requests.map(({ headers }) => (headers.cookie ?? "").split("; ").toSorted());
    assert.deepEqual(sent, [
      [""],
      ["AWSALBAPP-0=a", "JSESSIONID=one"],
      ["AWSALBAPP-0=b", "JSESSIONID=one"],
      ["AWSALBAPP-0=b", "JSESSIONID=two"],
      ["JSESSIONID=two"],
    ]);
  });

  it("S12: a client that drains settles its work with no login of its own, while one with another key takes over", async () => {
    const newKey = "N".repeat(32);
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, newKey] }];
    await using on = await faultStage({ server: { accounts } });
    await on.set("0");
    const held = new Barrier();
    on.proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex === 1 ? { kind: "hold", until: held.passed } : undefined;
    const inFlight = on.set("1");
    await on.proxy.reached(SET, 2);
    const draining = on.client.drain();
    await assert.rejects(on.set("2"), (error: unknown) => isXrtcError(error, "XRTC_CLOSED"));
    const successor = new XrtcClient({
      ...credentials,
      apiKey: newKey,
      baseUrl: on.service.baseUrl,
    });
    const after = successor.setItems([{ portalId: "p", payload: "2" }]);
    held.open();
    await Promise.all([inFlight, draining, after]);
    assert.equal(on.client.status.value.kind, "closed");
    assert.equal(on.proxy.count(LOGIN), 1);
    assert.equal(on.service.server.stats.logins, 2);
    assert.equal(on.service.server.stats.itemsSet, 3);
    await successor.close();
  });
});

describe("Limits", () => {
  it("L1: a thousand messages at once under the hosted limits settle once each, and are stored", async () => {
    await using on = await faultStage({
      // A busy machine must not be late for a deadline here: who tries again may store twice under these limits.
      factor: 5,
      client: { retryMsMax: 600_000 },
      limits: HOSTED,
      server: { preset: "hosted", limits: { loginIntervalMsMin: 0 } },
    });
    let settled = 0;
    await Promise.all(
      numbers(1_000).map(async (payload) => {
        await on.set(payload);
        settled += 1;
      }),
    );
    assert.equal(settled, 1_000);
    assert.equal(on.service.server.stats.itemsSet, 1_000);
  });

  it("L2: items at, one under and one over the limit are counted in serialised bytes, and one over costs no request", async () => {
    await using service = await startService({ preset: "hosted" });
    const client = service.client({ limits: "hosted" });
    const room =
      1_024 - '{"items":[{"portalid":"p","payload":"","servertimestamp":1700000000000}]}\n'.length;
    for (const unit of ["x", "ü", "🌍", '"', "\n", "\u0000"]) {
      const wide = unit.repeat(Math.floor(room / bytes(unit)));
      const full = wide + "x".repeat(room - bytes(wide));
      for (const fits of [full.slice(unit.length), full]) {
        await client.setItems([{ portalId: "p", payload: fits }]);
      }
      const { requests } = service.server.stats;
      await assert.rejects(
        client.setItems([{ portalId: "p", payload: `${full}x` }]),
        (error: unknown) => isXrtcError(error, "XRTC_PAYLOAD_TOO_LARGE"),
      );
      assert.equal(service.server.stats.requests, requests);
    }
    assert.equal(service.server.stats.itemsSet, 12);
  });

  it("L3: one poison item in a batch of 20 fails alone, and 19 are stored once", async () => {
    await using on = await faultStage({ server: { limits: { portalsMax: 1 } } });
    await on.set("first");
    const results = await Promise.allSettled(
      numbers(20).map((payload) => on.set(payload, payload === "7" ? "another" : "p")),
    );
    const failed = results.flatMap((result, at) =>
      result.status === "rejected" ? [{ at, error: result.reason as unknown }] : [],
    );
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.at, 7);
    assert.ok(isXrtcError(failed[0]?.error, "XRTC_ITEM_REFUSED"));
    const expected = ["first", ...numbers(20).filter((payload) => payload !== "7")];
    assert.deepEqual(await on.stored(20), expected);
    assert.equal(on.service.server.stats.itemsSet, 20);
  });

  it("L6: the month's counter warns at 80 %, stretches at 95 % and stops at 100 %, once each, and outlives the client", async () => {
    const max = 100;
    let kept: { month: string; used: number } | undefined;
    const store = {
      load: () => kept,
      save: (count: { month: string; used: number }) => void (kept = count),
    };
    await using on = await faultStage({
      client: { ports: { counterStore: store } },
      limits: { requestsPerMonthMax: max },
    });
    const levels: string[] = [];
    on.client.usage.subscribe(({ level }) => levels.push(level));
    for (let used = 2; used <= 79; used += 1) await on.set("x");
    assert.deepEqual([on.client.usage.value.used, levels], [79, ["ok"]]);
    await on.set("x");
    assert.deepEqual([on.client.usage.value.used, levels], [80, ["ok", "warn"]]);
    for (let used = 81; used <= 94; used += 1) await on.set("x");
    assert.deepEqual(levels, ["ok", "warn"]);
    await on.set("x");
    assert.deepEqual([on.client.usage.value.used, levels], [95, ["ok", "warn", "stretch"]]);
    await on.client.close();
    assert.deepEqual(kept?.used, 95);
    kept = { month: kept?.month ?? "", used: max };
    const next = on.service.client({
      limits: { requestsPerMonthMax: max },
      ports: { counterStore: store },
    });
    const { requests } = on.service.server.stats;
    await assert.rejects(next.setItems([{ portalId: "p", payload: "x" }]), (error: unknown) =>
      isXrtcError(error, "XRTC_BUDGET_SPENT"),
    );
    assert.equal(next.usage.value.level, "stop");
    assert.equal(on.service.server.stats.requests, requests);
  });

  it("L7: an eleventh portal is a clear error, two readers share an upstream, and a get takes nothing from a stream", async () => {
    await using on = await faultStage({
      server: { preset: "hosted", limits: { requestsPerSecondMax: 1_000 } },
    });
    for (const id of numbers(10)) await on.set("x", `p${id}`);
    await assert.rejects(on.set("x", "eleventh"), (error: unknown) => {
      return isXrtcError(error, "XRTC_ITEM_REFUSED") && error.message.includes("portals");
    });
    const readers = [0, 1].map(() => on.client.subscribe({ portals: ["p0"] }));
    await Promise.all(readers.map((reader) => reader.ready()));
    const before = on.service.server.stats.itemsDelivered;
    await assert.rejects(take(on.client.getItems({ portals: ["p0"] }), 1), (error: unknown) =>
      isXrtcError(error, "XRTC_PORTAL_BUSY"),
    );
    const taking = readers.map((reader) => take(reader, 1));
    await on.set("for both", "p0");
    for (const [item] of await Promise.all(taking)) assert.equal(item?.payload, "for both");
    assert.equal(on.service.server.stats.itemsDelivered, before + 1);
  });
});

const HOSTED = {
  requestBytesMax: 1_024,
  lineBytesMax: 1_024,
  requestItemsMax: 100,
  requestsPerSecondMax: 20,
};
