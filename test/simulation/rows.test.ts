import assert from "node:assert/strict";
import type { ClientStatus } from "../../src/status.js";
import { errorAnswer, LOGIN_ANSWER, type Answer } from "../support/scripted-transport.js";
import {
  busiest,
  closed,
  codeOf,
  connected,
  DENIED,
  EMPTY,
  HOUR,
  isLogin,
  MINUTE,
  OK,
  refusal,
  scripted,
  SECOND,
} from "./rows-world.js";

describe("In virtual time", () => {
  it("an hour of idle stream costs at most 725 requests", async () => {
    const world = connected({ preset: "hosted" });
    world.read();
    await world.run(HOUR);
    assert(world.posts.length <= 725, String(world.posts.length));
    assert(world.posts.length > 700, String(world.posts.length));
    await world.close();
  });

  it("24 hours of refused connections cost at most 6,500 requests", async () => {
    const world = scripted(refusal);
    world.client.subscribe({ portals: ["p"] });
    await world.clock.runUntil(24 * HOUR);
    assert(world.times.length <= 6_500, String(world.times.length));
    assert(world.times.length > 1_000, String(world.times.length));
    await closed(world);
  });

  it("24 hours of refused credentials cost at most 97 requests", async () => {
    const world = scripted(() => errorAnswer(4, 35, "Invalid credentials"));
    world.client.subscribe({ portals: ["p"] });
    await world.clock.runUntil(24 * HOUR);
    assert(world.times.length <= 97, String(world.times.length));
    assert(world.times.length > 10, String(world.times.length));
    await closed(world);
  });

  for (const outage of [SECOND, 30 * SECOND, 10 * MINUTE]) {
    const bound = outage >= 10 * MINUTE ? 30 * SECOND : 3 * SECOND;
    it(`N1: is ready again within ${bound / SECOND} s after ${outage / SECOND} s of refused connections`, async () => {
      let isUp = false;
      const world = scripted((request) => {
        if (!isUp) return refusal();
        if (isLogin(request)) return LOGIN_ANSWER;
        return request.url.endsWith("/item/set") ? OK : {};
      });
      const kinds: string[] = [];
      world.client.status.subscribe(({ kind }: ClientStatus) => {
        if (kinds.at(-1) !== kind) kinds.push(kind);
      });
      world.client.subscribe({ portals: ["p"] });
      const waiting = codeOf(world.client.setItems([{ portalId: "q", payload: "x" }]));
      await world.clock.runUntil(outage);
      isUp = true;
      const isReady = (): boolean => world.client.status.value.kind === "connected";
      await world.clock.runUntil(outage + bound, isReady);
      assert(isReady(), world.client.status.value.kind);
      assert.deepEqual(kinds, ["idle", "connecting", "waiting", "connected"]);
      await world.clock.runUntil(world.clock.now + MINUTE);
      assert.equal(await waiting, outage < MINUTE ? "ok" : "XRTC_UNREACHABLE");
      await closed(world);
    });
  }

  it("H2: waits as long as Retry-After says, at most a minute, and not at all for nonsense", async () => {
    const expected: readonly (readonly [string, number, number])[] = [
      ["2", 2 * SECOND, 3 * SECOND],
      ["9999", 60 * SECOND, 61 * SECOND],
      ["-1", 0, 3 * SECOND],
      [new Date(1_700_000_000_000 + 5 * SECOND).toUTCString(), 4 * SECOND, 6 * SECOND],
      ["soon", 0, 3 * SECOND],
    ];
    for (const [header, least, most] of expected) {
      let refused = 0;
      const world = scripted((request) => {
        if (isLogin(request)) return LOGIN_ANSWER;
        refused += 1;
        return refused > 1 ? OK : { status: 429, headers: { "retry-after": header }, body: [""] };
      });
      const item = { portalId: "p", payload: "x" };
      const done = codeOf(world.client.setItems([item], { ttlMs: 2 * MINUTE }));
      await world.clock.runUntil(2 * MINUTE);
      assert.equal(await done, "ok", header);
      const [, first = 0, second = 0] = world.times;
      const waited = second - first;
      assert(waited >= least && waited <= most, `${header}: ${waited}`);
      await closed(world);
    }
  });

  it("S1: logs in before a set after 61 s of rest, and needs no refusal for that", async () => {
    const world = connected();
    await world.set("a");
    await world.run(61 * SECOND);
    await world.set("b");
    assert.deepEqual(
      world.posts.map(({ kind, status }) => `${kind} ${status}`),
      ["login 200", "set 200", "login 200", "set 200"],
    );
    await world.close();
  });

  it("S3: does not log in for a late denial of an older login", async () => {
    let answerLate: ((answer: Answer) => void) | undefined;
    const world = scripted((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      // The first request stays open; the second is denied and renews the login.
      if (index === 1) return new Promise((resolve) => (answerLate = resolve));
      return index === 2 ? DENIED : OK;
    });
    const late = codeOf(
      (async () => {
        for await (const item of world.client.getItems({ portals: ["p"] }))
          assert.fail(item.payload);
      })(),
    );
    await world.clock.runUntil(100);
    const renewing = codeOf(world.client.setItems([{ portalId: "q", payload: "x" }]));
    await world.clock.runUntil(8 * SECOND);
    assert.equal(await renewing, "ok");
    answerLate?.(DENIED);
    await world.clock.runUntil(30 * SECOND);
    assert.equal(await late, "ok");
    assert.equal(world.transport.count("/auth/login"), 2);
    await closed(world);
  });

  it("S4: sends at most 12 requests in any minute, the first included, while everything is denied", async () => {
    const world = scripted((request) => (isLogin(request) ? LOGIN_ANSWER : DENIED));
    world.client.subscribe({ portals: ["p"] });
    await world.clock.runUntil(2 * HOUR);
    const most = busiest(world.times, MINUTE);
    assert(most <= 12, String(most));
    assert(world.times.length > 100, String(world.times.length));
    await closed(world);
  });

  for (const times of [3, 6, 20]) {
    it(`S5: keeps its distance when the login is refused for frequency ${times} times`, async () => {
      let refused = 0;
      const world = scripted((request) => {
        if (!isLogin(request)) return {};
        refused += 1;
        return refused <= times ? errorAnswer(4, 45, "Too frequent login") : LOGIN_ANSWER;
      });
      const messages: string[] = [];
      const kinds = new Set<string>();
      world.client.status.subscribe((status) => {
        kinds.add(status.kind);
        if ("cause" in status) messages.push(status.cause.message);
      });
      world.client.subscribe({ portals: ["p"] });
      await world.clock.runUntil(HOUR);
      assert.equal(world.transport.count("/auth/login"), times + 1);
      const logins = world.times.slice(0, times + 1);
      for (const [index, time] of logins.entries()) {
        if (index > 0) assert(time - (logins[index - 1] ?? 0) >= 5_249);
      }
      const contended = messages.some((message) =>
        message.includes("Another client uses this key"),
      );
      assert.equal(contended, times >= 6);
      assert(kinds.has("connected"));
      await closed(world);
    });
  }

  it("S7: asks once in 15 minutes while the credentials are refused", async () => {
    const world = scripted(() => errorAnswer(4, 35, "Invalid credentials"));
    world.client.subscribe({ portals: ["p"] });
    const set = codeOf(world.client.setItems([{ portalId: "q", payload: "x" }]));
    await world.clock.runUntil(3 * HOUR);
    assert.equal(await set, "XRTC_CREDENTIALS_REFUSED");
    assert.equal(world.client.status.value.kind, "refused");
    assert(busiest(world.times, 14 * MINUTE) <= 1);
    assert(world.times.length >= 6, String(world.times.length));
    await closed(world);
  });

  it("L1: keeps a thousand messages under the hosted limits to 20 requests in any second, and settles each once", async () => {
    const world = connected({ preset: "hosted", limits: { ringItemsMax: 1_000 } });
    world.read();
    await world.run(SECOND);
    const settled: string[] = [];
    for (let count = 0; count < 1_000; count += 1) {
      const item = { portalId: `p${count % 5}`, payload: String(count) };
      void codeOf(world.client.setItems([item])).then((code) => settled.push(code));
    }
    await world.run(2 * MINUTE);
    assert.deepEqual(settled, Array<string>(1_000).fill("ok"));
    const times = world.posts.map(({ clientAt }) => clientAt);
    assert.equal(busiest(times, SECOND), 20);
    await world.close();
  });

  it("L8: asks at most 25 times in the first minute, then 12 times a minute, when streams end empty at once", async () => {
    const world = scripted((request) => (isLogin(request) ? LOGIN_ANSWER : EMPTY));
    world.client.subscribe({ portals: ["p"] });
    await world.clock.runUntil(2 * HOUR);
    const early = world.times.filter((time) => time < MINUTE).length;
    assert(early <= 25, String(early));
    const late = busiest(
      world.times.filter((time) => time >= 2 * MINUTE),
      MINUTE,
    );
    assert(late <= 12, String(late));
    await closed(world);
  });

  for (const preset of ["local", "hosted"] as const) {
    it(`C1: delivers everything when the server's clock is set back and on (${preset})`, async () => {
      const world = connected({ preset });
      world.read();
      await world.run(SECOND);
      const sent: string[] = [];
      for (const [index, step] of [0, -HOUR, 0, HOUR, -1, -1, 2 * HOUR, -HOUR].entries()) {
        world.serverView.stepWall(step);
        sent.push(`item${index}`);
        await world.set(`item${index}`);
        if (index % 2 === 0) await world.run(6 * SECOND);
      }
      await world.run(10 * SECOND);
      assert.deepEqual(world.got, sent);
      await world.close();
    });
  }

  it("C2: is not touched by steps of its own calendar in mid-request", async () => {
    const world = connected();
    world.read();
    await world.run(SECOND);
    for (const step of [-24 * HOUR, 48 * HOUR, -24 * HOUR]) {
      const done = world.client.setItems([{ portalId: "p", payload: `x${step}` }]);
      world.view.stepWall(step);
      await Promise.all([done, world.run(SECOND)]);
    }
    await world.run(10 * SECOND);
    assert.deepEqual(world.got, [`x${-24 * HOUR}`, `x${48 * HOUR}`, `x${-24 * HOUR}`]);
    assert.equal(world.count("login"), 1);
    await world.close();
  });

  for (const mode of ["stopped", "frozen"] as const) {
    it(`C3: logs in once after 10 minutes of sleep and goes on where it was (${mode})`, async () => {
      const world = connected();
      world.read();
      await world.run(SECOND);
      await world.set("before");
      world.view.suspend(10 * MINUTE, mode);
      await world.run(10 * MINUTE + 30 * SECOND);
      await world.set("after");
      await world.run(10 * SECOND);
      assert.deepEqual(world.got, ["before", "after"]);
      assert.equal(world.count("login"), 2);
      await world.close();
    });
  }
});
