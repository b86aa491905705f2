import { strict as assert } from "node:assert";
import { LineCache } from "../../../../src/server/engine/line-cache.js";
import type { StoredItem } from "../../../../src/server/engine/stored-item.js";

const item = (portalId: string, sequence: number): StoredItem => ({
  portalId,
  sequence,
  order: sequence,
  serverTimestamp: 1,
  storedAtMs: 1,
  encoded: "{}",
  bytes: 2,
});

describe("the cache of a portal's lines", () => {
  it("gives the same line to each who asks for the same items", () => {
    const cache = new LineCache();
    const items = [item("P", 1), item("P", 2)];
    const bytes = Buffer.from("line\n");
    cache.put(items, bytes);
    assert.equal(cache.get([...items]), bytes);
    assert.equal(cache.get([items[0] as StoredItem]), undefined);
    assert.equal(cache.get([item("P", 1), item("P", 2)]), undefined);
  });

  it("keeps the lines of a few portals, and not of every portal that there is", () => {
    const caches = Array.from({ length: 1_000 }, () => new LineCache());
    const items = caches.map((_, index) => [item(`P${index}`, 1)]);
    const kept = (): number =>
      caches.filter((cache, at) => cache.get(items[at] ?? []) !== undefined).length;
    for (const [at, cache] of caches.entries()) {
      cache.put(items[at] ?? [], Buffer.from("line\n"));
      assert(cache.get(items[at] ?? []) !== undefined);
    }
    assert.equal(kept(), 64);
    caches[0]?.put(items[0] ?? [], Buffer.from("line\n"));
    assert.equal(kept(), 64);
  });
});
