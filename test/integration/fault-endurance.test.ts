import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { endure } from "../support/endurance.js";

const HEAP_GROWTH_BYTES_MAX = 5 * 1_048_576;

describe("A hundred thousand items through a network where everything goes wrong", function () {
  this.timeout(120_000);

  it("arrive once each and in order, and leave the heap as it was", async () => {
    const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
    const repeat = `npm run endurance -- --items 100000 --seed ${seed}`;
    const { gaps, failedSets, heapGrowthBytes, ...report } = await endure({ items: 100_000, seed });
    const { lost, twice, outOfOrder, foreign, stored } = report;
    assert.deepEqual(
      { lost, twice, outOfOrder, foreign, stored, gaps, failedSets },
      { lost: 0, twice: 0, outOfOrder: 0, foreign: 0, stored: 100_000, gaps: [], failedSets: [] },
      repeat,
    );
    assert.ok(heapGrowthBytes <= HEAP_GROWTH_BYTES_MAX, `${heapGrowthBytes} bytes more; ${repeat}`);
  });
});
