import assert from "node:assert/strict";
import { isXrtcError } from "../../src/index.js";
import { Barrier } from "../support/barrier.js";
import type { Fault } from "../support/fault-proxy.js";
import { faultStage, GET, LOGIN, SET } from "../support/fault-stage.js";
import { stableMemoryBytes } from "../support/heap.js";
import { rawService } from "../support/raw-service.js";
import { scaledClock } from "../support/scaled-clock.js";
import { take } from "../support/service.js";

const HTML = "<!doctype html><title>x</title><p>not XRTC</p>";
const rejected = (code: string) => (error: unknown) => isXrtcError(error) && error.code === code;

const items = (...payloads: unknown[]): string =>
  `${JSON.stringify({
    items: payloads.map((payload, at) => ({ portalid: "p", payload, servertimestamp: at + 1 })),
  })}\n`;

describe("Faults of the network", () => {
  it("N4: a reset after the headers of a set is unknown, retried, and flagged", async () => {
    await using on = await faultStage({ server: { extensions: { idempotency: false } } });
    on.proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex === 0
        ? { kind: "cut-request", afterBytes: 0, how: "rst" }
        : undefined;
    const { attempts, duplicatePossible } = await on.set("x");
    assert.deepEqual({ attempts, duplicatePossible }, { attempts: 2, duplicatePossible: true });
    assert.deepEqual(await on.stored(1), ["x"]);
  });

  it("N5: a set whose answer is swallowed is retried with its key and stored once", async () => {
    await using on = await faultStage();
    on.proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex === 0 ? { kind: "swallow" } : undefined;
    const { attempts, duplicatePossible } = await on.set("x");
    assert.deepEqual({ attempts, duplicatePossible }, { attempts: 2, duplicatePossible: false });
    assert.equal(on.service.server.stats.itemsSet, 1);
  });

  for (const direction of ["up", "down", "both"] as const) {
    it(`N9: after a black hole (${direction}) in login, set and stream all goes on, and no old socket stays`, async () => {
      await using on = await faultStage();
      const subscription = on.client.subscribe({ portals: ["p"], start: "all" });
      on.proxy.plan = ({ pathIndex }) =>
        pathIndex === 0 ? { kind: "black-hole", direction } : undefined;
      const taking = take(subscription, 2);
      await assert.rejects(on.client.open(), rejected("XRTC_TIMEOUT"));
      await on.set("1");
      await on.set("2");
      assert.deepEqual(
        (await taking).map(({ payload }) => payload),
        ["1", "2"],
      );
      assert.equal(on.service.server.stats.itemsSet, 2);
      const swallowed = on.proxy.exchanges.filter(({ pathIndex }) => pathIndex === 0).length;
      assert.ok(on.proxy.openSockets <= on.proxy.connectionCount - swallowed);
    });
  }

  it("N11: an answer in slices of one byte is exact to the byte", async () => {
    await using on = await faultStage({ factor: 1 });
    const payload = 'ü🌍\u2028 \\u00e4 " \n \u0000 e\u0301';
    on.proxy.plan = () => ({ kind: "slice", bytes: 1 });
    const taking = take(on.client.subscribe({ portals: ["p"], start: "all" }), 1);
    await on.set(payload);
    assert.equal((await taking)[0]?.payload, payload);
  });

  it("N12: a set on a connection that the server has closed goes out again on a fresh one, once", async () => {
    await using on = await faultStage();
    await on.set("1");
    for (let at = 2; at <= 20; at += 1) {
      // The close and the set cross on the way.
      assert.ok(on.proxy.closeIdle(at % 2 === 0 ? "fin" : "rst") >= 1);
      await on.set(`${at}`);
    }
    const expected = Array.from({ length: 20 }, (_, at) => `${at + 1}`);
    assert.deepEqual(await on.stored(20), expected);
    assert.equal(on.service.server.stats.itemsSet, 20);
  });

  it("N14: an answer that is later than that of a later set changes no order", async () => {
    await using on = await faultStage({ factor: 1, limits: { requestItemsMax: 1 } });
    await on.set("0");
    const held = new Barrier();
    on.proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex === 1 ? { kind: "hold", until: held.passed } : undefined;
    const othersSettled = new Barrier();
    const settled: string[] = [];
    const sets = ["a", "b", "c"].map(async (payload) => {
      await on.set(payload);
      settled.push(payload);
      if (settled.length === 2) othersSettled.open();
    });
    await othersSettled.passed;
    held.open();
    await Promise.all(sets);
    assert.equal(on.service.server.stats.itemsSet, 4);
    assert.deepEqual(await on.stored(4), ["0", "a", "b", "c"]);
  });
});

describe("Faults of HTTP", () => {
  for (const status of [500, 502, 503, 504]) {
    it(`H1: ${status} with HTML, once and 50 times in a row, passes, and is never a payload`, async () => {
      const count = 50;
      await using on = await faultStage({
        factor: 300,
        client: { attemptsMax: 60, retryMsMax: 9e6 },
      });
      on.proxy.plan = ({ path, pathIndex }): Fault | undefined =>
        path !== LOGIN && (path === SET ? pathIndex < 1 : pathIndex < count)
          ? { kind: "answer", status, headers: { "content-type": "text/html" }, body: HTML }
          : undefined;
      const taking = take(on.client.subscribe({ portals: ["p"], start: "all" }), 1);
      await on.set("x");
      assert.equal((await taking)[0]?.payload, "x");
      assert.ok(on.proxy.count(GET) > count);
    });
  }

  for (const status of [301, 302, 307, 308]) {
    it(`H4: a redirect (${status}) to another host fails the call, and no request reaches that host`, async () => {
      await using other = await rawService(() => undefined);
      await using raw = await rawService(({ call }, response) => {
        if (call === "set")
          response.writeHead(status, { location: `${other.origin}/v1/item/set` }).end();
      });
      const client = raw.client();
      await assert.rejects(
        client.setItems([{ portalId: "p", payload: "x" }]),
        rejected("XRTC_ENDPOINT"),
      );
      assert.equal(raw.requests.length, 2);
      assert.equal(other.requests.length, 0);
    });
  }

  it("H4: a login that is redirected fails, and the credentials go nowhere else", async () => {
    await using other = await rawService(() => undefined);
    await using raw = await rawService((_request, response) => {
      response.writeHead(307, { location: `${other.origin}/v1/auth/login` }).end();
    });
    const client = raw.client();
    await assert.rejects(client.open(), rejected("XRTC_ENDPOINT"));
    assert.equal(client.status.value.kind, "refused");
    assert.equal(other.requests.length, 0);
  });

  it("H5: 200 with HTML fails a login, leaves a set unknown, and is an abnormal end of a get", async () => {
    let captive: "login" | "set" | "get" | undefined = "login";
    await using raw = await rawService(({ call }, response) => {
      if (call === captive) response.writeHead(200, { "content-type": "text/html" }).end(HTML);
      else if (call === "get") response.end(items("x"));
    });
    const limits = { loginIntervalMsMin: 0 };
    const client = raw.client({ limits, attemptsMax: 1, ports: { clock: scaledClock(50) } });
    await assert.rejects(client.open(), rejected("XRTC_RESPONSE_INVALID"));
    captive = "set";
    await assert.rejects(client.setItems([{ portalId: "p", payload: "x" }]), (error: unknown) => {
      return isXrtcError(error, "XRTC_NOT_CONFIRMED") && error.outcome === "unknown";
    });
    captive = "get";
    await assert.rejects(
      take(client.getItems({ portals: ["p"] }), 1),
      rejected("XRTC_RESPONSE_INVALID"),
    );
    captive = undefined;
    assert.equal((await take(client.getItems({ portals: ["p"] }), 1))[0]?.payload, "x");
  });

  const HOSTILE: Readonly<Record<string, string>> = {
    "a line of 10 MB": "x".repeat(10_000_000),
    "JSON of a depth of a million": `{"items":${"[".repeat(1_000_000)}`,
  };
  for (const [name, body] of Object.entries(HOSTILE)) {
    it(`H8: ${name} is refused, and the heap stays as it was`, async () => {
      const bytes = Buffer.from(body);
      await using raw = await rawService(({ call }, response) => {
        if (call === "get") response.end(bytes);
      });
      const client = raw.client();
      const get = () => take(client.getItems({ portals: ["p"] }), 1);
      await assert.rejects(get(), rejected("XRTC_RESPONSE_INVALID"));
      const before = await stableMemoryBytes();
      for (let count = 0; count < 5; count += 1) {
        await assert.rejects(get(), rejected("XRTC_RESPONSE_INVALID"));
      }
      assert.ok((await stableMemoryBytes()) - before < 2 * 1_048_576);
    });
  }

  it("H8: an endless line is cut at the bound, and the heap stays as it was, however often", async () => {
    const chunk = Buffer.alloc(65_536, "x");
    let sent = 0;
    let gone = new Barrier();
    await using raw = await rawService(({ call }, response) => {
      if (call !== "get") return;
      const pour = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        if (response.write(chunk)) setImmediate(pour);
      };
      response.on("drain", pour).on("close", () => gone.open());
      pour();
    });
    const client = raw.client();
    const get = async (): Promise<void> => {
      sent = 0;
      gone = new Barrier();
      await assert.rejects(
        take(client.getItems({ portals: ["p"] }), 1),
        rejected("XRTC_RESPONSE_INVALID"),
      );
      await gone.passed;
      assert.ok(sent < 50_000_000, `${sent} bytes`);
    };
    await get();
    const before = await stableMemoryBytes();
    for (let count = 0; count < 5; count += 1) await get();
    assert.ok((await stableMemoryBytes()) - before < 2 * 1_048_576);
  });
});
