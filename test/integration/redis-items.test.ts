import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { SetOutcome } from "../../src/server/backend/backend.js";
import { invalidArguments } from "../../src/server/wire-error.js";
import { forEachBackend, itemsOf, setIn, until } from "../support/backend-stage.js";
import { ACCOUNT_ID } from "../support/service.js";

const refused = (): never => {
  throw invalidArguments("bad");
};

const timestampOf = (outcome: SetOutcome): number =>
  outcome.kind === "applied" ? outcome.serverTimestamp : Number.NaN;

const kindsOf = (outcomes: readonly SetOutcome[]): string[] => outcomes.map(({ kind }) => kind);

forEachBackend("sets and items", (open) => {
  it("stores a set once for each idempotency key, and knows another body under it", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const items = itemsOf("P", "a", "b");
    const first = await stage.set(id, { items, key: "k" });
    const again = await stage.set(id, { items, key: "k" });
    assert.deepEqual(again, { ...first, isRepeat: true });
    assert.equal(timestampOf(first) > 0, true);
    const other = await stage.set(id, { items: itemsOf("P", "c"), key: "k" });
    assert.equal(other.kind, "refused");
    // Also for another login of the account.
    const anew = await stage.set(await stage.opened(), { items, key: "k" });
    assert.deepEqual(anew, again);
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, ["a", "b"]);
  });

  it("keeps a refusal for its key's repeats", async () => {
    await using stage = await open({ limits: { portalsMax: 1 } });
    const id = await stage.opened();
    assert.equal((await stage.set(id, { items: itemsOf("P", "a") })).kind, "applied");
    const asked = { items: itemsOf("Q", "b"), key: "k" };
    const first = await stage.set(id, asked);
    const again = await stage.set(id, asked);
    assert.equal(first.kind, "refused");
    assert.ok(first.kind === "refused" && again.kind === "refused");
    assert.deepEqual([again.error.service, again.error.status], [first.error.service, 400]);
    assert.match(first.error.message, /at most 1 portals/);
    assert.deepEqual((await stage.read({ portalId: "Q" })).payloads, []);
  });

  it("forgets the oldest idempotency keys when there are too many, and all after their time", async () => {
    await using stage = await open({ bounds: { idempotencyKeysMax: 2, idempotencyMs: 500 } });
    const id = await stage.opened();
    const set = (key: string): Promise<SetOutcome> =>
      stage.set(id, { items: itemsOf("P", "x"), key });
    for (const key of ["a", "b", "c"]) await set(key);
    const repeats = async (key: string): Promise<boolean> => {
      const outcome = await set(key);
      return outcome.kind === "applied" && outcome.isRepeat;
    };
    assert.equal(await repeats("c"), true);
    assert.equal(await repeats("a"), false);
    await until(
      () => repeats("c"),
      (isRepeat) => !isRepeat,
    );
  });

  it("applies the sets of a producer in their order, whichever comes first", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const set = (number: number): Promise<SetOutcome> =>
      stage.set(id, { items: itemsOf("P", `${number}`), producer: "X", number });
    const outcomes = await Promise.all([3, 2, 5, 1, 4].map(set));
    assert.deepEqual(
      kindsOf(outcomes),
      Array.from({ length: 5 }, () => "applied"),
    );
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, ["1", "2", "3", "4", "5"]);
  });

  it("lets a hundred sets wait for the first one, and applies all in their order", async () => {
    await using stage = await open({ bounds: { earlySetWaitMs: 60_000 } });
    const id = await stage.opened();
    const set = (number: number): Promise<SetOutcome> =>
      stage.set(id, { items: itemsOf("P", `${number}`), producer: "X", number });
    const numbers = Array.from({ length: 100 }, (_, index) => 101 - index);
    const waiting = Promise.all(numbers.map(set));
    await sleep(20);
    await set(1);
    assert.ok((await waiting).every(({ kind }) => kind === "applied"));
    const { payloads } = await stage.read({ portalId: "P" });
    assert.deepEqual(
      payloads,
      Array.from({ length: 101 }, (_, index) => `${index + 1}`),
    );
  });

  it("turns an early set away after its time, whose number stays free", async () => {
    await using stage = await open({ bounds: { earlySetWaitMs: 50 } });
    const id = await stage.opened();
    const early = { items: itemsOf("P", "2"), producer: "X", number: 2 };
    assert.equal((await stage.set(id, early)).kind, "late");
    assert.equal(
      (await stage.set(id, { ...early, items: itemsOf("P", "1"), number: 1 })).kind,
      "applied",
    );
    assert.equal((await stage.set(id, early)).kind, "applied");
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, ["1", "2"]);
  });

  it("knows a number that was used, and what its key was answered", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const first = { items: itemsOf("P", "1"), producer: "X", number: 1, key: "one" };
    const outcome = await stage.set(id, first);
    assert.deepEqual(await stage.set(id, first), { ...outcome, isRepeat: true });
    assert.equal((await stage.set(id, { ...first, key: "two" })).kind, "past");
    assert.equal(
      (await stage.set(id, { items: first.items, producer: "X", number: 1 })).kind,
      "past",
    );
    // Another producer, and another session, count for themselves.
    assert.equal((await stage.set(id, { ...first, key: "three", producer: "Y" })).kind, "applied");
    const other = await stage.opened();
    assert.equal((await stage.set(other, { ...first, key: "four" })).kind, "applied");
  });

  it("turns those away that wait behind one that is refused, until it is sent again", async () => {
    await using stage = await open({ bounds: { earlySetWaitMs: 60_000 } });
    const id = await stage.opened();
    const set = (number: number, items = itemsOf("P", `${number}`)): Promise<SetOutcome> =>
      stage.set(id, { items, producer: "X", number });
    const behind = [set(2), set(3)];
    await sleep(20);
    const bad = await stage.set(id, { items: refused, producer: "X", number: 1 });
    assert.equal(bad.kind, "refused");
    assert.deepEqual(kindsOf(await Promise.all(behind)), ["late", "late"]);
    assert.equal((await set(2)).kind, "late");
    assert.deepEqual(kindsOf([await set(1), await set(2), await set(3)]), [
      ...["applied", "applied", "applied"],
    ]);
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, ["1", "2", "3"]);
  });

  it("lets only so many sets of a session wait", async () => {
    await using stage = await open({
      bounds: { earlySetsPerSessionMax: 1, earlySetWaitMs: 100 },
    });
    const id = await stage.opened();
    const session = await stage.session(id, stage.backends[0]);
    const early = (number: number): Promise<SetOutcome> =>
      setIn(session, { items: itemsOf("P", "x"), producer: "X", number });
    const waiting = early(2);
    const turnedAway = await early(3);
    assert.ok(turnedAway.kind === "refused");
    assert.match(turnedAway.error.message, /too many sets/);
    assert.equal((await waiting).kind, "late");
    session.leave();
  });

  it("forgets the producer that rested longest", async () => {
    await using stage = await open({ bounds: { producersPerSessionMax: 2 } });
    const id = await stage.opened();
    const set = (producer: string, number: number): Promise<SetOutcome> =>
      stage.set(id, { items: itemsOf("P", "x"), producer, number });
    for (const producer of ["A", "B"]) {
      assert.equal((await set(producer, 1)).kind, "applied");
      await sleep(3);
    }
    assert.equal((await set("C", 1)).kind, "applied");
    assert.equal((await set("B", 2)).kind, "applied");
    assert.equal((await set("A", 1)).kind, "applied");
  });

  it("lets go of a ring's oldest items, and counts them", async () => {
    await using stage = await open({ limits: { ringItemsMax: 4 } });
    const id = await stage.opened();
    await stage.set(id, { items: itemsOf("P", "1", "2", "3") });
    await stage.set(id, { items: itemsOf("P", "4", "5", "6") });
    assert.deepEqual(await stage.read({ portalId: "P" }).then(({ sequences }) => sequences), [
      ...[3, 4, 5, 6],
    ]);
    await stage.set(id, {
      items: itemsOf("P", ...Array.from({ length: 9 }, (_, n) => `${n + 7}`)),
    });
    const read = await stage.read({ portalId: "P", afterSequence: 2 });
    assert.deepEqual([read.sequences, read.first, read.newest], [[12, 13, 14, 15], 12, 15]);
    const overrun = stage.backends.reduce((sum, { itemsOverrun }) => sum + itemsOverrun, 0);
    assert.equal(overrun, 11);
  });

  it("reads from a position, from a time, up to an age, and from either end", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const times: number[] = [];
    for (const payload of ["a", "b", "c"]) {
      times.push(timestampOf(await stage.set(id, { items: itemsOf("P", payload) })));
      await sleep(5);
    }
    const read = (query: object): Promise<readonly string[]> =>
      stage.read({ portalId: "P", ...query }).then(({ payloads }) => payloads);
    assert.deepEqual(await read({ afterSequence: 1 }), ["b", "c"]);
    assert.deepEqual(await read({ afterSequence: 3 }), []);
    assert.deepEqual(await read({ afterSequence: 9 }), []);
    assert.deepEqual(await read({ fromTimestamp: times[1] }), ["b", "c"]);
    assert.deepEqual(await read({ fromTimestamp: (times[1] ?? 0) + 1 }), ["c"]);
    assert.deepEqual(await read({ fromTimestamp: (times[2] ?? 0) + 1 }), []);
    assert.deepEqual(await read({ cutoffMs: 0 }), []);
    assert.deepEqual(await read({ cutoffMs: 60_000 }), ["a", "b", "c"]);
    assert.deepEqual(await read({ schedule: "LIFO" }), ["a", "b", "c"]);
    const placed = await stage.read({ portalId: "P", fromTimestamp: times[2], cutoffMs: 0 });
    assert.deepEqual([placed.first, placed.newest], [3, 3]);
    const nothing = await stage.read({ portalId: "Q" });
    assert.deepEqual([nothing.sequences, nothing.first, nothing.newest], [[], 1, 0]);
  });

  it("gives at least a line of what is there, from the end that is asked for", async () => {
    await using stage = await open({ limits: { lineItemsMax: 100 } });
    const id = await stage.opened();
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index}`);
    await stage.set(id, { items: itemsOf("P", ...texts) });
    const oldest = await stage.read({ portalId: "P", afterSequence: 10 });
    assert.deepEqual(
      oldest.sequences.slice(0, 101),
      texts.slice(0, 101).map((_, n) => n + 11),
    );
    assert.deepEqual(oldest.payloads.slice(0, 3), ["10", "11", "12"]);
    const newest = await stage.read({ portalId: "P", schedule: "LIFO" });
    assert.deepEqual(newest.payloads.slice(-101), texts.slice(-101));
    assert.equal(newest.sequences.at(-1), 1_000);
  });

  it("carries every text unharmed", async () => {
    await using stage = await open();
    const id = await stage.opened();
    const texts = [
      "",
      "grüße 🌍",
      '"\\\n\r\t\u0000\u2028',
      "\ud83d",
      "}{|' -- \uffff",
      "𝄞".repeat(99),
    ];
    await stage.set(id, { items: itemsOf("P", ...texts) });
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, texts);
    await stage.set(id, { items: itemsOf("Q", "last") });
    const latest = await stage.any.engine.latest(ACCOUNT_ID);
    assert.deepEqual(
      latest.map(({ encoded }) => (JSON.parse(encoded) as { payload: string }).payload),
      ["last", texts.at(-1)],
    );
  });

  it("lets go of items and portals after their time", async () => {
    await using stage = await open({ limits: { itemAgeMsMax: 150, portalsMax: 1 } });
    const id = await stage.opened();
    assert.equal((await stage.set(id, { items: itemsOf("P", "1") })).kind, "applied");
    assert.equal((await stage.set(id, { items: itemsOf("Q", "1") })).kind, "refused");
    await until(
      () => stage.read({ portalId: "P" }),
      ({ sequences }) => sequences.length === 0,
    );
    const outcome = await until(
      () => stage.set(id, { items: itemsOf("Q", "1") }),
      ({ kind }) => kind === "applied",
    );
    assert.equal(outcome.kind, "applied");
    assert.deepEqual(
      (await stage.any.engine.latest(ACCOUNT_ID)).map(({ portalId }) => portalId),
      ["Q"],
    );
    // It goes on counting where it was.
    await until(
      () => stage.set(id, { items: itemsOf("P", "2") }),
      ({ kind }) => kind === "applied",
    );
    assert.deepEqual((await stage.read({ portalId: "P" })).sequences, [2]);
  });
});
