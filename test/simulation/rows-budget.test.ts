import assert from "node:assert/strict";
import type { MonthCount } from "../../src/session/month-budget.js";
import { LOGIN_ANSWER } from "../support/scripted-transport.js";
import { closed, codeOf, isLogin, MINUTE, OK, scripted, SECOND } from "./rows-world.js";
import { WALL_START } from "./sim-clock.js";

const MAX = 100;
const MONTH_END = Date.UTC(2023, 11, 1);
/** What is left of the month when it begins. */
const LEFT_MS = 100 * SECOND;

/** A client with so little left of a month, and what was kept of it. */
function nearMonthEnd(used: number) {
  let kept: MonthCount = { month: "2023-11", used };
  const counterStore = {
    load: () => kept,
    save: (count: MonthCount) => {
      kept = kept.month === count.month && kept.used > count.used ? kept : count;
    },
  };
  const limits = { requestsPerMonthMax: MAX };
  const world = scripted((request) => (isLogin(request) ? LOGIN_ANSWER : OK), {
    limits,
    counterStore,
  });
  world.view.stepWall(MONTH_END - LEFT_MS - WALL_START);
  const levels: string[] = [];
  world.client.usage.subscribe(({ level }) => levels.push(level));
  let portals = 0;
  /** So many sets at once. */
  const set = async (count: number): Promise<string[]> => {
    const setting = Array.from({ length: count }, () => {
      portals += 1;
      const item = { portalId: `p${portals}`, payload: "x" };
      return codeOf(world.client.setItems([item], { ttlMs: 10 * MINUTE }));
    });
    const all = Promise.all(setting);
    let isOver = 0;
    for (const one of setting) void one.then(() => (isOver += 1));
    await world.clock.runUntil(world.clock.now + 10 * MINUTE, () => isOver === count);
    return all;
  };
  const othersUse = (requests: number): void => {
    kept = { ...kept, used: kept.used + requests };
  };
  return { ...world, levels, set, othersUse, used: () => world.client.usage.value.used };
}

describe("L6: the month's counter", () => {
  it("says nothing at 79 %, warns at 80 %, spreads requests from 95 % and stops at 100 %, once each", async () => {
    const world = nearMonthEnd(0);
    const { levels, set, used, times, clock } = world;
    // A login, and a set at a time.
    while (used() < 79) await set(1);
    assert.deepEqual([used(), levels], [79, ["ok"]]);
    await set(1);
    assert.deepEqual([used(), levels], [80, ["ok", "warn"]]);
    while (used() < 94) await set(1);
    assert.deepEqual(levels, ["ok", "warn"]);
    await set(1);
    assert.deepEqual([used(), levels], [95, ["ok", "warn", "stretch"]]);
    // So far nothing had to wait but for the rate.
    assert(clock.now < SECOND, `${clock.now}`);

    // What is left is spread over what is left of the month.
    await set(1);
    await set(1);
    assert.equal(used(), 97);
    for (const [before, after, left] of [
      [94, 95, 5],
      [95, 96, 4],
    ] as const) {
      const from = times[before] ?? 0;
      const spacing = (times[after] ?? 0) - from;
      assert(Math.abs(spacing - (LEFT_MS - from) / left) < 0.01 * spacing, `${spacing}`);
    }

    world.othersUse(MAX);
    await set(1);
    const requests = times.length;
    const before = clock.now;
    assert.deepEqual(await set(3), Array<string>(3).fill("XRTC_BUDGET_SPENT"));
    assert.deepEqual([clock.now - before < SECOND, times.length], [true, requests]);
    assert.deepEqual(levels, ["ok", "warn", "stretch", "stop"]);
    await closed(world);
  });

  it("that is spent lets requests out again with the new month", async () => {
    const world = nearMonthEnd(MAX);
    assert.deepEqual(await world.set(2), ["XRTC_BUDGET_SPENT", "XRTC_BUDGET_SPENT"]);
    assert.equal(world.times.length, 0);
    await world.clock.runUntil(world.clock.now + LEFT_MS + 16 * MINUTE);
    assert.deepEqual(await world.set(2), ["ok", "ok"]);
    assert.equal(world.used(), 2);
    assert.deepEqual(world.levels, ["stop", "ok"]);
    await closed(world);
  });

  it("lets a login wait for its turn when requests are spread, however long that is", async () => {
    const world = nearMonthEnd(95);
    assert.deepEqual(await world.set(1), ["ok"]);
    assert.equal(world.transport.count("/auth/login"), 1);
    assert.equal(world.used(), 97);
    await closed(world);
  });
});
