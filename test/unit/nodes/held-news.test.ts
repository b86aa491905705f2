import assert from "node:assert/strict";
import { HeldNews, type News } from "../../../nodes/lib/held-news.js";

const item = (portalId: string, payload: string): News => ({
  kind: "item",
  item: { portalId, payload, serverTimestamp: 1 },
  serverNow: undefined,
});

/** An item that was so old when it came. */
const aged = (payload: string, ageMs: number): News => ({
  kind: "item",
  item: { portalId: "a", payload, serverTimestamp: 10_000 },
  serverNow: 10_000 + ageMs,
});

const gap = (portalId: string, missing?: number): News => ({
  kind: "gap",
  gap: { portalId, reason: "overrun", ...(missing === undefined ? {} : { missing }) },
});

const brief = (news: readonly News[]): string[] =>
  news.map((each) =>
    each.kind === "item"
      ? `${each.item.portalId} ${each.item.payload}`
      : `${each.gap.portalId} ${each.gap.reason} ${each.gap.missing}`,
  );

describe("news that waits while a node is paused", () => {
  it("comes out in its order, once", () => {
    const held = new HeldNews();
    for (const each of [item("a", "1"), gap("a", 2), item("b", "3")]) held.push(each, 0);
    assert.equal(held.length, 3);
    assert.deepEqual(brief(held.release(0, -1)), ["a 1", "a overrun 2", "b 3"]);
    assert.deepEqual(held.release(0, -1), []);
  });

  it("is bounded: the oldest goes, and a gap for each portal tells how much did", () => {
    const held = new HeldNews(2);
    for (const payload of ["1", "2", "3"]) held.push(item("a", payload), 0);
    held.push(item("b", "4"), 0);
    held.push(item("b", "5"), 0);
    assert.equal(held.length, 2);
    assert.deepEqual(brief(held.release(0, -1)), ["a queue 3", "b 4", "b 5"]);
  });

  it("counts what a gap that had to go was missing, or says that it does not know", () => {
    const held = new HeldNews(1);
    for (const each of [gap("a", 4), item("a", "1"), gap("b"), item("b", "1"), item("c", "1")]) {
      held.push(each, 0);
    }
    assert.deepEqual(brief(held.release(0, -1)), ["a queue 5", "b queue undefined", "c 1"]);
  });

  it("forgets a portal that nobody wants any more", () => {
    const held = new HeldNews(2);
    for (const each of [item("a", "1"), item("a", "2"), item("b", "3")]) held.push(each, 0);
    held.drop("a");
    assert.deepEqual(brief(held.release(0, -1)), ["b 3"]);
  });

  it("leaves out what has become older than the cutoff while it waited", () => {
    const held = new HeldNews();
    held.push(aged("too old by now", 500), 100);
    held.push(item("a", "of unknown age, and too old anyway"), 50);
    held.push(gap("a", 1), 50);
    held.push(aged("just young enough", 0), 100);
    held.push(aged("young", 200), 1_000);
    const released = held.release(1_100, 1_000);
    assert.deepEqual(brief(released), ["a overrun 1", "a just young enough", "a young"]);
  });
});
