import assert from "node:assert/strict";
import type { ServerState } from "../../../nodes/lib/local-server.js";
import {
  type Activity,
  ACTIVE_MS,
  REMOTE_MS,
  RESTING_MS,
  ServerActivity,
} from "../../../nodes/lib/server-activity.js";
import { NO_STATS } from "../../../src/server/stats.js";
import { VirtualClock } from "../../support/virtual-clock.js";

type Listening = Extract<ServerState, { kind: "listening" }>;

/** A server that does what a test says, and what was seen of it. */
function setUp(isRemote = false) {
  const clock = new VirtualClock();
  const counts = { itemsSet: 0, requests: 0, sessions: 0 };
  const now = { trouble: undefined as string | undefined };
  let onRequest: (() => void) | undefined;
  const server = {
    kind: "listening",
    isRemote,
    stats: () => ({ ...NO_STATS, ...counts }),
    trouble: () => now.trouble,
    onNextRequest: (callback: () => void) => {
      onRequest = callback;
      return () => {
        onRequest = undefined;
      };
    },
  } as unknown as Listening;
  const looks: Activity[] = [];
  const activity = new ServerActivity(server, { clock, onLook: (look) => void looks.push(look) });
  const request = (items = 0): void => {
    counts.requests += 1;
    counts.itemsSet += items;
    const callback = onRequest;
    onRequest = undefined;
    callback?.();
  };
  return {
    clock,
    counts,
    now,
    activity,
    looks,
    request,
    isListened: () => onRequest !== undefined,
  };
}

describe("what goes on in a server", () => {
  it("needs no timer while nobody is there, and one a second while something is done", async () => {
    const { clock, counts, looks, request, isListened } = setUp();
    assert.deepEqual(looks, [{ clients: 0, perSecond: 0, isTroubled: false }]);
    assert.equal(clock.timerCount, 0);
    assert.ok(isListened());
    counts.sessions = 1;
    for (let second = 0; second < 3; second += 1) {
      for (let count = 0; count < 50; count += 1) request(2);
      assert.equal(clock.timerCount, 1);
      await clock.advance(ACTIVE_MS);
    }
    const busy: Activity = { clients: 1, perSecond: 100, isTroubled: false };
    assert.deepEqual(looks.slice(1), [busy, busy, busy]);
    await clock.advance(ACTIVE_MS);
    assert.deepEqual(looks.at(-1), { clients: 1, perSecond: 0, isTroubled: false });
    counts.sessions = 0;
    await clock.advance(RESTING_MS);
    assert.deepEqual(looks.at(-1), { clients: 0, perSecond: 0, isTroubled: false });
    assert.equal(clock.timerCount, 0);
    assert.ok(isListened());
  });

  it("counts from the first request after a rest, so that a rest does not water a rate down", async () => {
    const { clock, looks, request } = setUp();
    await clock.advance(600_000);
    request(10);
    await clock.advance(ACTIVE_MS);
    assert.equal(looks.at(-1)?.perSecond, 10);
  });

  it("is looked at although nobody asks where Redis may go away", async () => {
    const { clock, now, looks } = setUp(true);
    now.trouble = "Redis: away";
    await clock.advance(REMOTE_MS);
    assert.equal(looks.at(-1)?.isTroubled, true);
    now.trouble = undefined;
    await clock.advance(REMOTE_MS);
    assert.equal(looks.at(-1)?.isTroubled, false);
  });

  it("leaves nothing behind when it is not wanted any more", async () => {
    const { clock, counts, activity, looks, request, isListened } = setUp();
    counts.sessions = 1;
    request(1);
    activity.close();
    assert.equal(clock.timerCount, 0);
    assert.ok(!isListened());
    await clock.advance(RESTING_MS);
    assert.equal(looks.length, 1);
  });
});
