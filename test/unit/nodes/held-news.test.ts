import assert from "node:assert/strict";
import { HeldNews, type News } from "../../../nodes/lib/held-news.js";

const item = (portalId: string, payload: string): News => ({
  kind: "item",
  item: { portalId, payload, serverTimestamp: 1 },
  serverNow: undefined,
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
    for (const each of [item("a", "1"), gap("a", 2), item("b", "3")]) held.push(each);
    assert.equal(held.length, 3);
    assert.deepEqual(brief(held.release()), ["a 1", "a overrun 2", "b 3"]);
    assert.deepEqual(held.release(), []);
  });

  it("is bounded: the oldest goes, and a gap for each portal tells how much did", () => {
    const held = new HeldNews(2);
    for (const payload of ["1", "2", "3"]) held.push(item("a", payload));
    held.push(item("b", "4"));
    held.push(item("b", "5"));
    assert.equal(held.length, 2);
    assert.deepEqual(brief(held.release()), ["a queue 3", "b 4", "b 5"]);
  });

  it("counts what a gap that had to go was missing, or says that it does not know", () => {
    const held = new HeldNews(1);
    for (const each of [gap("a", 4), item("a", "1"), gap("b"), item("b", "1"), item("c", "1")]) {
      held.push(each);
    }
    assert.deepEqual(brief(held.release()), ["a queue 5", "b queue undefined", "c 1"]);
  });

  it("forgets a portal that nobody wants any more", () => {
    const held = new HeldNews(2);
    for (const each of [item("a", "1"), item("a", "2"), item("b", "3")]) held.push(each);
    held.drop("a");
    assert.deepEqual(brief(held.release()), ["b 3"]);
  });
});
