import assert from "node:assert/strict";
import type { Item } from "../../../src/protocol/item.js";
import { PortalReader, type StartPlace } from "../../../src/subscription/portal-reader.js";

const FIFO = { schedule: "FIFO", cutoffMs: -1 } as const;
const ALL: StartPlace = { kind: "since", serverTimestamp: 1 };
const login = (generation: number, epoch?: string) => ({ generation, epoch });

const item = (serverTimestamp: number, payload: string, seq?: number): Item => ({
  portalId: "p",
  payload,
  serverTimestamp,
  ...(seq === undefined ? {} : { seq }),
});

/** The reference time that is asked for; nothing, when the session's position will do. */
const asked = (reader: PortalReader, under: ReturnType<typeof login>): number | undefined =>
  reader.needsReference(under) ? reader.reference(under) : undefined;

/** What a turn delivers of these items. */
function turn(
  reader: PortalReader,
  items: readonly Item[],
  {
    generation = 1,
    epoch,
    whole = true,
  }: { generation?: number; epoch?: string; whole?: boolean } = {},
): string[] {
  reader.turnStarted(login(generation, epoch));
  const delivered = items.filter((each) => reader.accept(each).kind === "new");
  const repeats = delivered.length < items.length;
  reader.turnEnded(whole, { isPresent: whole, repeats });
  return delivered.map(({ payload }) => payload);
}

describe("A portal that is read", () => {
  it("is asked for by reference first, and by the session's position after a whole answer", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    assert.equal(asked(reader, login(1)), 1);
    turn(reader, [item(10, "a")]);
    assert.equal(asked(reader, login(1)), undefined);
  });

  it("is asked for again from 1 ms before the last item after a cut, and under a new login", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(10, "a")], { whole: false });
    assert.equal(asked(reader, login(1)), 9);
    turn(reader, [item(10, "a")]);
    assert.equal(asked(reader, login(2)), 9);
  });

  for (const [name, from] of [
    ["inclusive", 9],
    ["exclusive", 10],
  ] as const) {
    it(`loses and repeats nothing after a cut where the reference is ${name}`, () => {
      const ring = [item(8, "a"), item(9, "b"), item(10, "c"), item(10, "d"), item(11, "e")];
      const reader = new PortalReader("p", ALL, FIFO);
      const before = turn(reader, ring.slice(0, 3), { whole: false });
      const after = turn(
        reader,
        ring.filter(({ serverTimestamp }) => serverTimestamp >= from),
      );
      assert.deepEqual([...before, ...after], ["a", "b", "c", "d", "e"]);
    });
  }

  it("tells two real equal items of one millisecond from a repeat by their count", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    assert.deepEqual(turn(reader, [item(5, "x")], { whole: false }), ["x"]);
    assert.deepEqual(turn(reader, [item(5, "x"), item(5, "x"), item(6, "y")]), ["x", "y"]);
    assert.deepEqual(turn(reader, [item(6, "y")]), ["y"]);
  });

  it("never takes an older timestamp for a repeat: the server's clock may step back", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1_000, "a")], { whole: false });
    assert.deepEqual(turn(reader, [item(1_000, "a"), item(400, "b")]), ["b"]);
  });

  it("drops a replay of the whole ring under a new login that ignores the reference", () => {
    const ring = [item(1, "a"), item(2, "b"), item(3, "c")];
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, ring);
    assert.deepEqual(turn(reader, [...ring, item(4, "d")], { generation: 2 }), ["d"]);
  });

  it("drops a replay that is spread over several answers", () => {
    const ring = [item(1, "a"), item(2, "b"), item(3, "c")];
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, ring);
    assert.deepEqual(turn(reader, ring.slice(0, 2), { generation: 2 }), []);
    assert.deepEqual(turn(reader, [...ring.slice(2), item(4, "d")], { generation: 2 }), ["d"]);
  });

  it("announces a possible gap when a replay does not reach back to the last item", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a")], { whole: false });
    reader.turnStarted(login(1));
    const acceptance = reader.accept(item(9, "z"));
    assert(acceptance.kind === "new");
    assert.equal(acceptance.gap?.reason, "possible");
    assert.deepEqual(acceptance.gap?.before, { serverTimestamp: 1 });
  });

  it("knows repeats by their number where the server numbers items", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    const ring = [item(1, "a", 1), item(1, "a", 2), item(1, "b", 3)];
    assert.deepEqual(turn(reader, ring.slice(0, 2), { epoch: "e", whole: false }), ["a", "a"]);
    assert.deepEqual(turn(reader, ring, { epoch: "e" }), ["b"]);
  });

  it("asks again for a missing number, and tells how many are missing when they stay away", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a", 1)], { epoch: "e" });
    reader.turnStarted(login(1, "e"));
    assert.equal(reader.accept(item(9, "z", 7)).kind, "reread");
    reader.turnEnded(false, { isPresent: false, repeats: false });
    assert.equal(asked(reader, login(1, "e")), 1);
    reader.turnStarted(login(1, "e"));
    const acceptance = reader.accept(item(9, "z", 7));
    assert(acceptance.kind === "new");
    assert.deepEqual(acceptance.gap, {
      portalId: "p",
      reason: "overrun",
      before: { serverTimestamp: 1, seq: 1 },
      after: { serverTimestamp: 9, seq: 7 },
      missing: 5,
    });
  });

  it("announces a gap and takes everything for new when the server has lost its memory", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(100, "a", 9)], { epoch: "one" });
    assert.equal(asked(reader, login(2, "two")), 1);
    const gap = reader.turnStarted(login(2, "two"));
    assert.equal(gap?.reason, "epoch");
    assert.equal(reader.accept(item(50, "b", 1)).kind, "new");
  });

  it("delivers only what is after its start", () => {
    const place = { serverTimestamp: 5, seq: 5 };
    const reader = new PortalReader("p", { kind: "after", place, epoch: "e" }, FIFO);
    assert.equal(asked(reader, login(1, "e")), 4);
    const old = [item(4, "a", 4), item(5, "b", 5)];
    assert.deepEqual(turn(reader, [...old, item(5, "c", 6)], { epoch: "e" }), ["c"]);
  });

  it("filters what is older than its start when the reference is ignored", () => {
    const reader = new PortalReader("p", { kind: "since", serverTimestamp: 100 }, FIFO);
    assert.deepEqual(turn(reader, [item(99, "old"), item(100, "new")]), ["new"]);
  });

  it("delivers newest first without taking the older ones of a line for repeats", () => {
    const reader = new PortalReader("p", ALL, { schedule: "LIFO", cutoffMs: -1 });
    const ring = [item(3, "c", 3), item(2, "b", 2), item(1, "a", 1)];
    assert.deepEqual(turn(reader, ring, { epoch: "e", whole: false }), ["c", "b", "a"]);
    assert.deepEqual(turn(reader, [item(4, "d", 4), ...ring], { epoch: "e" }), ["d"]);
  });

  it("announces a loss when the present is reached without a proof, because no item may ever come", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a")], { whole: false });
    turn(reader, []);
    const gap = { portalId: "p", reason: "possible", before: { serverTimestamp: 1 } };
    assert.deepEqual(reader.reachedPresent(), gap);
    assert.equal(reader.reachedPresent(), undefined);
  });

  it("announces nothing when the answer after a cut reaches back to the last item", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a")], { whole: false });
    turn(reader, [item(1, "a")]);
    assert.equal(reader.reachedPresent(), undefined);
  });

  it("announces a gap when the server lost its memory before it had delivered anything", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    reader.reference(login(1, "one"));
    assert.deepEqual(reader.turnStarted(login(2, "two")), { portalId: "p", reason: "epoch" });
  });

  it("drops from a replay what was lost between items that came: it would come out of order", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a")], { whole: false });
    turn(reader, [item(3, "c")]);
    const ring = [item(1, "a"), item(2, "b"), item(3, "c"), item(4, "d")];
    assert.deepEqual(turn(reader, ring, { generation: 2 }), ["d"]);
  });

  it("drops from a replay more equal items than came when it was their turn", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "x"), item(2, "b")]);
    const ring = [item(1, "x"), item(1, "x"), item(2, "b"), item(2, "b")];
    assert.deepEqual(turn(reader, ring, { generation: 2 }), ["b"]);
  });

  it("asks once again, in a replay too, for a number that is missing behind the last item", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    turn(reader, [item(1, "a", 1)], { epoch: "e", whole: false });
    reader.turnStarted(login(1, "e"));
    assert.equal(reader.accept(item(1, "a", 1)).kind, "repeat");
    assert.equal(reader.accept(item(9, "d", 4)).kind, "reread");
    reader.turnEnded(false, { isPresent: false, repeats: false });
    reader.turnStarted(login(1, "e"));
    assert.equal(reader.accept(item(1, "a", 1)).kind, "repeat");
    const acceptance = reader.accept(item(9, "d", 4));
    assert(acceptance.kind === "new");
    assert.equal(acceptance.gap?.missing, 2);
  });

  it("announces a possible gap when the first item of an empty portal is not its first", () => {
    const reader = new PortalReader("p", { kind: "empty" }, FIFO);
    reader.turnStarted(login(1, "e"));
    assert.equal(reader.accept(item(5, "c", 3)).kind, "reread");
    reader.turnEnded(false, { isPresent: false, repeats: false });
    reader.turnStarted(login(1, "e"));
    const acceptance = reader.accept(item(5, "c", 3));
    assert(acceptance.kind === "new");
    assert.equal(acceptance.gap?.reason, "possible");
  });

  it("says nothing of what was there before its start where a portal was not empty", () => {
    const reader = new PortalReader("p", ALL, FIFO);
    assert.deepEqual(turn(reader, [item(5, "c", 3)], { epoch: "e" }), ["c"]);
  });
});
