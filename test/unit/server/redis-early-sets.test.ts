import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { TimeoutQueue } from "../../../src/primitives/timeout-queue.js";
import type { SetOutcome } from "../../../src/server/backend/backend.js";
import { AccountFeed } from "../../../src/server/backend/redis/account-feed.js";
import type { Connection } from "../../../src/server/backend/redis/connection.js";
import { EarlySets } from "../../../src/server/backend/redis/early-sets.js";
import { EngineClock } from "../../../src/server/backend/redis/engine-clock.js";
import { ItemReader } from "../../../src/server/backend/redis/item-reader.js";
import { RedisSets } from "../../../src/server/backend/redis/redis-sets.js";
import { resolveOptions } from "../../../src/server/options.js";
import { VirtualClock } from "../../support/virtual-clock.js";

/** An early set whose Redis answers what the test says, when it says so. */
function early() {
  const clock = new VirtualClock();
  const settings = resolveOptions({ accounts: [], clock });
  const asked: ((reply: unknown) => void)[] = [];
  const run = (): Promise<unknown> => new Promise((resolve) => asked.push(resolve));
  const connection = { run } as unknown as Connection;
  const engineClock = new EngineClock(clock);
  const { limits } = settings;
  const items = new ItemReader({ connection, clock: engineClock, limits, withSequence: true });
  const places = new EarlySets(new TimeoutQueue(1_000, clock));
  const feed = new AccountFeed({
    ...{ accountId: "AC1", base: "x:{AC1}:", items, ageMsMax: 1_000, ledger: { bytes: 0 } },
    now: () => clock.now(),
    onListen: () => {},
  });
  const sets = new RedisSets({ connection, clock: engineClock, items, early: places, settings });
  const outcomes: SetOutcome[] = [];
  const wish = {
    idempotencyKey: undefined,
    order: { producer: "X", number: 2 },
    items: () => [{ portalId: "P", payload: "x" }],
    fingerprint: () => "",
  };
  sets.decide("session", feed, wish, (outcome) => outcomes.push(outcome));
  const notice = { session: "session", producer: "X", next: 2, isRefused: false };
  return {
    ...{ clock, asked, outcomes },
    /** The bell tells that the set before it was applied. */
    hear(): void {
      feed.hear({ number: feed.heard + 1, portals: [], order: notice, ended: undefined });
      places.notice(notice);
    },
    async answer(reply: unknown): Promise<void> {
      asked.shift()?.(reply);
      await setImmediate();
    },
  };
}

const APPLIED = ["applied", 5, 1, 0, 5, 1, [1]];
const applied = { kind: "applied", serverTimestamp: 5, itemCount: 1, isRepeat: false };

describe("an early set in Redis", () => {
  it("asks again when the one before it was applied", async () => {
    const { asked, answer, hear, outcomes } = early();
    await answer(["early"]);
    assert.equal(asked.length, 0);
    hear();
    await answer(APPLIED);
    assert.deepEqual(outcomes, [applied]);
  });

  it("asks again when the bell told of that before it knew that it is early", async () => {
    const { answer, hear, outcomes } = early();
    hear();
    await answer(["early"]);
    await answer(APPLIED);
    assert.deepEqual(outcomes, [applied]);
  });

  it("asks again when the bell told of that while it asked", async () => {
    const { answer, hear, outcomes } = early();
    await answer(["early"]);
    hear();
    hear();
    await answer(["early"]);
    await answer(APPLIED);
    assert.deepEqual(outcomes, [applied]);
  });

  it("is late after its time, and when its time ends while it asks, if it is early still", async () => {
    const waiting = early();
    await waiting.answer(["early"]);
    await waiting.clock.advance(1_001);
    assert.deepEqual(waiting.outcomes, [{ kind: "late" }]);
    const asking = early();
    await asking.answer(["early"]);
    asking.hear();
    await asking.clock.advance(1_001);
    assert.deepEqual(asking.outcomes, []);
    await asking.answer(["early"]);
    assert.deepEqual(asking.outcomes, [{ kind: "late" }]);
  });
});
