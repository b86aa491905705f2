import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { Move } from "../../src/server/backend/backend.js";
import { forEachBackend, itemsOf, until } from "../support/backend-stage.js";
import { ACCOUNT_ID, API_KEY } from "../support/service.js";
import { WaitingList } from "../support/waiting-list.js";

/** A step of a session. */
const to = (portalId: string, from: number, reached: number): Move => ({
  portalId,
  from,
  to: reached,
});

/** Another code than this. */
const wrong = (code: string): string => (code === "000000" ? "000001" : "000000");

/** Whether an error bears this code on the wire. */
const codeOf = (code: number) => (error: unknown) =>
  (error as { service?: { code?: number } }).service?.code === code;

forEachBackend("sessions and accounts", (open, count) => {
  it("moves a session in all portals or in none, and never twice", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const [one, other] = [await stage.session(id), await stage.session(id)];
    assert.deepEqual([...(await one.positions(["P", "Q"])).values()].filter(Boolean), []);
    await other.positions(["P", "Q"]);
    assert.equal(await one.move([to("P", 0, 3), to("Q", 0, 1)]), true);
    if (count > 0) {
      assert.equal(await other.move([to("Q", 1, 2), to("P", 0, 2)]), false);
      const positions = await other.positions(["P", "Q"]);
      assert.deepEqual([positions.get("P"), positions.get("Q")], [3, 1]);
    }
    assert.equal(await other.move([to("P", 3, 1)]), true);
    // Whoever asks next knows, in whatever process.
    const anew = [await stage.session(id), await stage.session(id)];
    for (const session of anew) assert.equal((await session.positions(["P"])).get("P"), 1);
    for (const session of [one, other, ...anew]) session.leave();
  });

  it("tells readers of what is set, wherever it is set", async () => {
    await using stage = await open();
    const id = await stage.opened();
    for (const backend of stage.backends) {
      const session = await stage.session(id, backend);
      const heard = new WaitingList<string>();
      const wake = (portalIds: readonly string[]): void =>
        portalIds.forEach((portalId) => heard.add(portalId));
      const leave = backend.engine.subscribe(ACCOUNT_ID, ["P", "Q"], { openedAs: 1, wake });
      assert.equal((await stage.set(id, { items: itemsOf("P", "x") })).kind, "applied");
      await heard.until((all) => all[0], "a wake");
      leave();
      assert.deepEqual([...new Set(heard.all)], ["P"]);
      session.leave();
    }
  });

  it("counts the requests of a key in any second", async () => {
    await using stage = await open({ limits: { requestsPerSecondMax: 5 } });
    const id = await stage.opened();
    const started = performance.now();
    const entries = [];
    for (let request = 0; request < 6; request += 1) entries.push(await stage.enter(id));
    if (performance.now() - started > 900) return;
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      [...Array.from({ length: 4 }, () => "entered"), "tooMany", "tooMany"],
    );
    const last = entries.at(-1);
    assert.ok(last?.kind === "tooMany" && last.of === "second");
    assert.ok(last.waitMs > 0 && last.waitMs <= 1_000);
    assert.equal((await stage.login()).kind, "tooMany");
    await until(
      () => stage.enter(id),
      ({ kind }) => kind === "entered",
    );
  });

  it("counts the requests of an account in a month", async () => {
    await using stage = await open({ limits: { requestsPerMonthMax: 3 } });
    const ids = [await stage.opened(), await stage.opened()];
    for (const id of [...ids, ids[0] ?? ""]) assert.equal((await stage.enter(id)).kind, "entered");
    const entry = await stage.enter(ids[1] ?? "");
    assert.ok(entry.kind === "tooMany" && entry.of === "month" && entry.waitMs > 0);
  });

  it("lets a key log in once in an interval", async () => {
    await using stage = await open({ limits: { loginIntervalMsMin: 200 } });
    await stage.opened();
    assert.equal((await stage.login()).kind, "tooFrequent");
    assert.equal((await stage.login()).kind, "tooFrequent");
    await until(
      () => stage.login(),
      ({ kind }) => kind === "opened",
    );
  });

  it("refuses other keys, accounts, addresses and ids", async () => {
    await using stage = await open();
    assert.equal((await stage.login("x".repeat(32))).kind, "refused");
    assert.equal((await stage.login(API_KEY, "AC404")).kind, "refused");
    const id = await stage.opened();
    assert.equal((await stage.enter(id, "127.0.0.2")).kind, "denied");
    for (const other of [`${id}0`, id.slice(0, -1), id.toLowerCase(), "", "__proto__", "AC1_x"]) {
      assert.equal((await stage.enter(other)).kind, "denied");
    }
    assert.equal((await stage.enter(id)).kind, "entered");
  });

  it("ends a session that nobody uses, and none that is in use", async () => {
    await using stage = await open({ limits: { sessionIdleMsMax: 500 } });
    const [idle, used] = [await stage.opened(), await stage.opened()];
    const session = await stage.session(used);
    await sleep(1_200);
    assert.equal((await stage.enter(idle)).kind, "denied");
    const again = await stage.enter(used);
    assert.equal(again.kind, "entered");
    if (again.kind === "entered") again.session.leave();
    session.leave();
    await sleep(1_000);
    assert.equal((await stage.enter(used)).kind, "denied");
  });

  it("ends a key's earlier sessions at a login where that is asked for", async () => {
    await using stage = await open({ secondLogin: "end" });
    const first = await stage.opened();
    const sessions = await Promise.all(
      stage.backends.map((backend) => stage.session(first, backend)),
    );
    // Somebody waits for items there: that is how the others hear of it.
    const reader = { openedAs: 1, wake: () => {} };
    const leaves = stage.backends.map(({ engine }) => engine.subscribe(ACCOUNT_ID, ["P"], reader));
    const finished = sessions.map(
      ({ openGets }) =>
        new Promise<void>((resolve) => {
          const alone = { takes: () => false, overtakenBy: () => {}, outlives: () => {} };
          openGets.add({ portalIds: [], ...alone, finish: resolve });
        }),
    );
    const second = await stage.opened();
    await Promise.all(finished);
    assert.equal((await stage.enter(first)).kind, "denied");
    assert.equal((await stage.enter(second)).kind, "entered");
    for (const leave of leaves) leave();
  });

  it("has room for so many sessions", async () => {
    await using stage = await open({
      bounds: { sessionsMax: 2 },
      limits: { sessionIdleMsMax: 300 },
    });
    await stage.opened();
    await stage.opened();
    assert.equal((await stage.login()).kind, "full");
    if (count > 0) {
      await until(
        () => stage.login(),
        ({ kind }) => kind === "opened",
      );
    }
  });

  it("registers accounts, begun and finished anywhere, for ever", async () => {
    await using stage = await open({
      bounds: { registrationTriesMax: 2, registrationSendsMax: 2, registrationsMax: 3 },
    });
    const { token, code } = await stage.any.registrations.start("a@b.example", undefined);
    const attempt = async (with_: string, of = token): Promise<void> => {
      await stage.any.registrations.finish(of, with_);
    };
    await assert.rejects(attempt(wrong(code)), codeOf(34));
    await attempt(code);
    await assert.rejects(attempt(code), codeOf(33));

    const second = await stage.any.registrations.start("a@b.example", undefined);
    const resent = await stage.any.registrations.start("a@b.example", second.token);
    assert.equal(resent.token, second.token);
    const start = async (email: string, of?: string): Promise<void> => {
      await stage.any.registrations.start(email, of);
    };
    await assert.rejects(start("a@b.example", second.token), codeOf(41));
    await assert.rejects(start("c@b.example", second.token), codeOf(33));
    await assert.rejects(start("a@b.example", "x"), codeOf(33));
    await assert.rejects(attempt(wrong(resent.code), second.token), codeOf(34));
    await assert.rejects(attempt(wrong(resent.code), second.token), codeOf(42));
    for (let begun = 0; begun < 3; begun += 1) await start("d@b.example");
    await assert.rejects(start("d@b.example"), codeOf(40));

    const apiKey = "k".repeat(32);
    assert.equal(await stage.any.accounts.hasRoom(), true);
    assert.equal(await stage.any.accounts.create("AC7", apiKey), true);
    assert.equal(await stage.any.accounts.create("AC7", "l".repeat(32)), false);
    assert.equal(await stage.any.accounts.create(ACCOUNT_ID, apiKey), false);
    for (const _ of stage.backends) {
      assert.equal((await stage.login(apiKey, "AC7")).kind, "opened");
      assert.equal((await stage.login("l".repeat(32), "AC7")).kind, "refused");
    }
  });

  it("has room for so many accounts", async () => {
    await using stage = await open({ bounds: { accountsMax: 2 } });
    assert.equal(await stage.any.accounts.create("AC8", "m".repeat(32)), true);
    assert.equal(await stage.any.accounts.hasRoom(), false);
  });
});
