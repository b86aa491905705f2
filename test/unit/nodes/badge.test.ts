import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeStatus } from "node-red";
import type { Look } from "../../../nodes/lib/look.js";
import { lookOf, sameLook, senderLookOf, serverLookOf } from "../../../nodes/lib/look.js";
import { textOf, type Translate } from "../../../nodes/lib/look-text.js";
import { Badge, BADGE_INTERVAL_MS_MIN, COUNT_INTERVAL_MS_MIN } from "../../../nodes/lib/status.js";
import { REMEDIES, XrtcError } from "../../../src/errors.js";
import type { ClientStatus } from "../../../src/status.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const catalogue = JSON.parse(
  readFileSync(join(__dirname, "../../../nodes/locales/en-US/xrtc-config.json"), "utf8"),
) as { badge: Record<string, string> };

/** The way Node-RED looks a key up, on our English catalogue. */
const translate: Translate = (key, parameters = {}) => {
  const phrase = catalogue.badge[key.slice(key.indexOf(":badge.") + ":badge.".length)];
  assert.ok(phrase, `${key} is in the catalogue`);
  return phrase.replace(/__(\w+)__/g, (_match, name: string) => parameters[name] ?? "");
};

const unreachable = new XrtcError("XRTC_UNREACHABLE", "connect ECONNREFUSED", { retryable: true });
const refusedByService = new XrtcError(
  "XRTC_CREDENTIALS_REFUSED",
  "The service answered: Invalid account id or API key (code 35)",
  { serviceCode: 35, serviceGroup: 4 },
);
const waiting = (retryInMs: number, failures = 1): ClientStatus => ({
  kind: "waiting",
  cause: unreachable,
  failures,
  retryInMs,
});

const shown = (look: Look | undefined): string =>
  look === undefined ? "none" : `${look.fill} ${look.shape}: ${textOf(look, translate)}`;

const senderLook = (status: ClientStatus, queued: number, perSecond = 0): string =>
  shown(senderLookOf(lookOf(undefined, status), undefined, { queued, perSecond }));

function setUp() {
  const clock = new VirtualClock();
  const badges: NodeStatus[] = [];
  const node = { status: (status: NodeStatus) => void badges.push(status) };
  let [queued, passed] = [0, 0];
  const counts = { queued: () => queued, passed: () => passed };
  const badge = new Badge(node, { translate, clock, ...counts });
  const wait = (count: number) => (queued = count);
  const pass = (count: number) => (passed += count);
  return { clock, badges, badge, wait, pass };
}

const textsOf = (badges: readonly NodeStatus[]) => badges.map(({ text }) => text);

describe("the look of a status", () => {
  it("is a yellow ring, a green dot, a red ring or a red dot", () => {
    assert.equal(
      shown(lookOf(undefined, { kind: "connecting" })),
      "yellow ring: node-red:common.status.connecting",
    );
    assert.equal(
      shown(lookOf(undefined, { kind: "connected" })),
      "green dot: node-red:common.status.connected",
    );
    assert.equal(shown(lookOf(undefined, waiting(400))), "red ring: unreachable, retrying");
    assert.equal(shown(lookOf(undefined, waiting(12_300))), "red ring: unreachable, 15 s");
    assert.equal(
      shown(lookOf(undefined, { kind: "refused", cause: refusedByService, retryInMs: 900_000 })),
      "red dot: Invalid account id or API key (code 35)",
    );
    assert.equal(shown(lookOf(undefined, { kind: "idle" })), "none");
  });

  it("of a refusal that is not the service's is a word of our own", () => {
    const cause = new XrtcError("XRTC_SERVER_MISSING", "long: and detailed");
    const look = lookOf(undefined, { kind: "refused", cause, retryInMs: Infinity });
    assert.equal(shown(look), "red dot: no xrtc-server");
  });

  it("shows remote words cut, and without control characters", () => {
    const cause = new XrtcError("XRTC_SERVICE", `said: \u0007evil\u202e${"x".repeat(500)}`, {
      serviceCode: 1,
    });
    const text = shown(lookOf(undefined, { kind: "refused", cause, retryInMs: 0 }));
    assert.ok(text.length < 60);
    assert.ok(!text.includes("\u0007") && !text.includes("\u202e"));
  });

  it("stays that of the wait while the next attempt is made, until that succeeds", () => {
    const wait = lookOf(undefined, waiting(400));
    assert.equal(lookOf(wait, { kind: "connecting" }), wait);
    assert.equal(shown(lookOf(wait, { kind: "connected" })).slice(0, 9), "green dot");
  });

  it("stays green when the session rests", () => {
    const connected = lookOf(undefined, { kind: "connected" });
    assert.equal(lookOf(connected, { kind: "idle" }), connected);
  });

  it("does not change between attempts that wait alike", () => {
    assert.ok(sameLook(lookOf(undefined, waiting(120, 1)), lookOf(undefined, waiting(2_900, 7))));
  });

  it("has the messages that wait behind it, in round numbers, and while all is well only if there are many", () => {
    assert.equal(
      senderLook({ kind: "connected" }, 9),
      "green dot: node-red:common.status.connected",
    );
    assert.equal(senderLook({ kind: "connected" }, 1_234), "green dot: connected (1200)");
    assert.equal(senderLook({ kind: "connecting" }, 1), "yellow ring: connecting (1)");
    assert.equal(senderLook(waiting(400), 99), "red ring: unreachable (99)");
    assert.equal(senderLook(waiting(12_300), 100), "red ring: unreachable, 15 s (100)");
    assert.equal(senderLook({ kind: "idle" }, 5), "none");
  });

  it("has the rate of messages behind it while all is well and many go through", () => {
    assert.equal(senderLook({ kind: "connected" }, 0, 9), senderLook({ kind: "connected" }, 0));
    assert.equal(senderLook({ kind: "connected" }, 0, 128), "green dot: connected, 120/s");
    assert.equal(senderLook({ kind: "connected" }, 42, 12), "green dot: connected, 12/s (42)");
    assert.equal(senderLook(waiting(400), 0, 128), "red ring: unreachable, retrying");
  });

  it("of a server shows where it listens, who is there and what goes on", () => {
    const state = { kind: "listening", place: "127.0.0.1:8480" } as Parameters<
      typeof serverLookOf
    >[0];
    const load = (clients: number, perSecond: number, isTroubled = false): string =>
      shown(serverLookOf(state, { clients, perSecond, isTroubled }));
    assert.equal(shown(serverLookOf(state)), "green dot: 127.0.0.1:8480");
    assert.equal(load(0, 0), "green dot: 127.0.0.1:8480");
    assert.equal(load(1, 0), "green dot: 127.0.0.1:8480, 1 client");
    assert.equal(load(128, 1_234), "green dot: 127.0.0.1:8480, 120 clients, 1200/s");
    assert.equal(load(1, 5, true), "yellow ring: no engine, retrying");
    const engine = new XrtcError("XRTC_ENGINE_UNAVAILABLE", "Redis cannot be reached");
    assert.equal(
      shown(serverLookOf({ kind: "failed", cause: engine, retryInMs: 100 })),
      "yellow ring: no engine, retrying",
    );
    const cause = new XrtcError("XRTC_SERVER_ADDRESS", "port 8480 is taken");
    assert.equal(
      shown(serverLookOf({ kind: "failed", cause, retryInMs: 100 })),
      "red ring: address in use, retrying",
    );
    assert.equal(shown(serverLookOf({ kind: "failed", cause })), "red dot: address in use");
  });
});

describe("the catalogue", () => {
  it("has a short text for every code of an error", () => {
    for (const code of Object.keys(REMEDIES)) {
      const text = catalogue.badge[code];
      assert.ok(text !== undefined && text.length <= 20, `${code}: ${text}`);
    }
  });
});

describe("a badge", () => {
  it("is set once for each look, however many attempts an outage takes", async () => {
    const { clock, badge, badges } = setUp();
    for (let attempt = 1; attempt <= 100; attempt += 1) {
      badge.update({ kind: "connecting" });
      await clock.advance(1_000);
      badge.update(waiting(100 + attempt, attempt));
      await clock.advance(1_000);
    }
    assert.deepEqual(
      badges.map(({ fill, shape }) => `${fill} ${shape}`),
      ["yellow ring", "red ring"],
    );
  });

  it("changes at most four times a second, and ends with the latest look", async () => {
    const { clock, badge, badges } = setUp();
    for (let flap = 0; flap < 20; flap += 1) {
      badge.update({ kind: "connected" });
      badge.update(waiting(100));
    }
    assert.equal(badges.length, 1);
    await clock.advance(BADGE_INTERVAL_MS_MIN);
    assert.equal(badges.length, 2);
    assert.equal(badges[1]?.fill, "red");
    assert.equal(clock.timerCount, 0);
  });

  it("is taken away when there is nothing to show", async () => {
    const { clock, badge, badges } = setUp();
    badge.update({ kind: "connecting" });
    await clock.advance(BADGE_INTERVAL_MS_MIN);
    badge.update({ kind: "idle" });
    assert.deepEqual(badges[1], {});
  });

  it("leaves no timer and shows nothing more once it is closed", () => {
    const { clock, badge, badges } = setUp();
    badge.update({ kind: "connecting" });
    badge.update({ kind: "connected" });
    badge.close();
    badge.update(waiting(100));
    badge.count();
    assert.equal(clock.timerCount, 0);
    assert.deepEqual(badges.slice(1), [{}], "it is taken away");
  });

  it("shows how many messages wait while the service is away, once a second at most", async () => {
    const { clock, badge, badges, wait } = setUp();
    badge.update(waiting(400));
    for (let second = 1; second <= 3; second += 1) {
      for (let message = 0; message < 50; message += 1) {
        wait(second * 50 + message);
        badge.count();
        await clock.advance(20);
      }
    }
    assert.deepEqual(textsOf(badges), [
      "unreachable, retrying",
      "unreachable (99)",
      "unreachable (140)",
      "unreachable (190)",
    ]);
    wait(0);
    await clock.advance(COUNT_INTERVAL_MS_MIN);
    assert.deepEqual(textsOf(badges).at(-1), "unreachable, retrying");
    assert.equal(clock.timerCount, 0);
  });

  it("shows how many messages go through in a second, for as long as they do", async () => {
    const { clock, badge, badges, pass } = setUp();
    badge.update({ kind: "connected" });
    for (let message = 0; message < 60; message += 1) {
      pass(1);
      badge.count();
      await clock.advance(50);
    }
    assert.equal(badge.report().perSecond, 20);
    await clock.advance(2 * COUNT_INTERVAL_MS_MIN);
    assert.deepEqual(textsOf(badges), [
      "node-red:common.status.connected",
      "connected, 20/s",
      "node-red:common.status.connected",
    ]);
    assert.equal(clock.timerCount, 0);
  });

  it("says what the node was told instead, and what its client does once it is let go", async () => {
    const { clock, badge, badges, wait } = setUp();
    badge.update(waiting(9_000));
    wait(3);
    for (const hold of ["paused", "disconnected", undefined] as const) {
      await clock.advance(BADGE_INTERVAL_MS_MIN);
      badge.hold(hold);
    }
    assert.deepEqual(
      badges.map(({ fill, text }) => `${fill} ${text}`),
      [
        "red unreachable, 10 s",
        "grey paused (3)",
        "grey disconnected (3)",
        "red unreachable, 10 s (3)",
      ],
    );
  });

  it("is reported with the same text, and with what is behind it", async () => {
    const { clock, badge, badges, wait } = setUp();
    assert.deepEqual(badge.report(), { text: "", kind: "idle", queued: 0, perSecond: 0 });
    wait(2);
    badge.update(waiting(9_000));
    await clock.advance(1_000);
    assert.deepEqual(badge.report(), {
      fill: "red",
      shape: "ring",
      text: badges[0]?.text,
      kind: "waiting",
      code: "XRTC_UNREACHABLE",
      retryInMs: 8_000,
      queued: 2,
      perSecond: 0,
    });
    badge.hold("paused");
    assert.deepEqual([badge.report().kind, badge.report().text], ["paused", badges[1]?.text]);
    badge.update({ kind: "refused", cause: refusedByService, retryInMs: Infinity });
    assert.ok(!("retryInMs" in badge.report()), "nothing comes by itself");
  });
});
