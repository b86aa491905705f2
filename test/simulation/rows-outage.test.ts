import assert from "node:assert/strict";
import type { ClientStatus } from "../../src/status.js";
import { errorAnswer, LOGIN_ANSWER } from "../support/scripted-transport.js";
import { CALM } from "./plan.js";
import { closed, codeOf, connected, isLogin, MINUTE, OK, scripted, SECOND } from "./rows-world.js";

type World = ReturnType<typeof connected>;

/** Every connection breaks, and none comes about. */
function breakOff({ network }: World): void {
  network.weather = { ...CALM, rates: [["refuse", 1]] };
  for (const exchange of [...network.open]) exchange.breakOff();
}

function kindsOf({ client }: World): string[] {
  const kinds: string[] = [];
  client.status.subscribe(({ kind }: ClientStatus) => {
    if (kinds.at(-1) !== kind) kinds.push(kind);
  });
  return kinds;
}

describe("N1: connections that are refused in mid-work", () => {
  for (const outage of [SECOND, 30 * SECOND, 10 * MINUTE]) {
    const bound = outage >= 10 * MINUTE ? 30 * SECOND : 3 * SECOND;
    it(`for ${outage / SECOND} s leave a stream ready within ${bound / SECOND} s, with one change of status each way`, async () => {
      const world = connected();
      const kinds = kindsOf(world);
      world.read();
      await world.run(12 * SECOND);
      breakOff(world);
      await world.run(outage);
      assert.equal(world.client.status.value.kind, "waiting");
      world.network.weather = CALM;
      const isReady = (): boolean => world.client.status.value.kind === "connected";
      assert(await world.clock.runUntil(world.clock.now + bound, isReady), "not ready");
      // Nothing came that could tell it but the head of an answer.
      assert.deepEqual(world.got, []);
      await world.set("x");
      assert.deepEqual(world.got, ["x"]);
      await world.run(MINUTE);
      assert.deepEqual(kinds, ["idle", "connecting", "connected", "waiting", "connected"]);
      await world.close();
    });
  }

  it("let the queue grow to its bound and not beyond, and what it took in arrives in order", async () => {
    const world = connected({}, undefined, { queueCountMax: 50 });
    world.read();
    await world.run(SECOND);
    breakOff(world);
    const settled = new Map<string, number>();
    const write = (payload: string): void =>
      void codeOf(world.client.setItems([{ portalId: "p", payload }])).then((code) =>
        settled.set(code, (settled.get(code) ?? 0) + 1),
      );
    // One is on its way already when the others begin to wait.
    write("first");
    await world.run(SECOND);
    for (let count = 0; count < 200; count += 1) write(`${count}`);
    await world.run(29 * SECOND);
    assert.deepEqual([...settled], [["XRTC_QUEUE_FULL", 150]]);
    world.network.weather = CALM;
    await world.run(3 * SECOND);
    assert.deepEqual(
      [...settled],
      [
        ["XRTC_QUEUE_FULL", 150],
        ["ok", 51],
      ],
    );
    assert.deepEqual(world.got, ["first", ...Array.from({ length: 50 }, (_, at) => `${at}`)]);
    await world.close();
  });
});

describe("A refusal with a code that nobody knows", () => {
  const refusal = errorAnswer(6, 999, "Something else");

  it("costs a set one more request after a second, and then the set fails with the service's words", async () => {
    const world = scripted((request) => (isLogin(request) ? LOGIN_ANSWER : refusal));
    const failing = assert.rejects(world.client.setItems([{ portalId: "p", payload: "x" }]), {
      code: "XRTC_SERVICE",
      attempts: 2,
      outcome: "fail",
      message: /Something else \(code 999\)/,
    });
    await world.clock.runUntil(MINUTE);
    await failing;
    const [, first = 0, second = 0] = world.times;
    assert(second - first >= SECOND && second - first < 2 * SECOND, `${second - first}`);
    assert.equal(world.times.length, 3);
    await closed(world);
  });

  it("is taken for a throttle when three come within ten seconds: what comes next waits and is stored", async () => {
    let refused = 0;
    const world = scripted((request) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      refused += 1;
      return refused <= 5 ? refusal : OK;
    });
    const set = (portalId: string) => codeOf(world.client.setItems([{ portalId, payload: "x" }]));
    const first = set("p");
    await world.clock.runUntil(3 * SECOND);
    assert.equal(await first, "XRTC_SERVICE");
    const next = set("q");
    await world.clock.runUntil(MINUTE);
    assert.equal(await next, "ok");
    // While it lasts, nothing goes out more often than once a second.
    for (const [at, time] of world.times.slice(3).entries()) {
      if (at > 0) assert(time - (world.times[at + 2] ?? 0) >= SECOND);
    }
    assert.equal(world.times.length, 1 + 6);
    await closed(world);
  });

  it("lets a stream go on at a pace of a second or more", async () => {
    let refused = 0;
    const world = scripted((request) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      refused += 1;
      return refused <= 4 ? refusal : {};
    });
    world.client.subscribe({ portals: ["p"] });
    await world.clock.runUntil(MINUTE, () => refused === 5);
    await world.clock.runUntil(world.clock.now + SECOND);
    assert.equal(world.client.status.value.kind, "connected");
    for (let at = 2; at < 6; at += 1) {
      assert((world.times[at] ?? 0) - (world.times[at - 1] ?? 0) >= SECOND);
    }
    await closed(world);
  });
});
