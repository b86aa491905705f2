// @ts-check
/**
 * `npm run endurance -- [--items 1000000] [--seed <n>] [--faults 0.03] [--minutes 15]`: items over real sockets through
 * a network on which everything goes wrong, from one client to a server in another process and back. It ends with 0
 * only if nothing was lost, came twice or out of order, and the heap is back where it was.
 */
import { randomInt } from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";
import { parseArgs } from "node:util";

/** @type {typeof import("../test/support/endurance.js")} */
const { endure } = createRequire(import.meta.url)("../test/support/endurance.ts");

const HEAP_GROWTH_BYTES_MAX = 5 * 1_048_576;

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    faults: { type: "string", default: "0.03" },
    minutes: { type: "string", default: "15" },
  },
});
const minutes = Number(values.minutes);
const deadline = setTimeout(() => {
  console.error(`not done within ${minutes} minutes`);
  process.exit(1);
}, minutes * 60_000);

const seed = Number(values.seed);
console.log(`seed ${seed}`);
const startedAt = performance.now();
const report = await endure({
  items: Number(values.items),
  seed,
  faultShare: Number(values.faults),
  onProgress(delivered) {
    if (delivered % 50_000 !== 0) return;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const heap = (process.memoryUsage().heapUsed / 1_048_576).toFixed(0);
    console.log(`${delivered} items delivered, ${seconds} s, heap ${heap} MiB`);
  },
});
clearTimeout(deadline);
const { gaps, failedSets, ...figures } = report;
console.log({ ...figures, gaps: gaps.length, failedSets: failedSets.length });
for (const problem of [...gaps.slice(0, 3), ...failedSets.slice(0, 3)]) console.log(problem);
const isWhole =
  report.lost + report.twice + report.outOfOrder + report.foreign === 0 &&
  gaps.length === 0 &&
  failedSets.length === 0 &&
  report.stored === report.items;
const isFlat = report.heapGrowthBytes <= HEAP_GROWTH_BYTES_MAX;
console.log(
  isWhole && isFlat
    ? `${report.items} items: 0 lost, 0 twice, 0 out of order`
    : `failed; repeat with --seed ${seed}`,
);
process.exitCode = isWhole && isFlat ? 0 : 1;
