import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, farm, ROOT } from "./farm.js";
import { COMMANDS, planOf } from "./plan.js";
import open from "./open.json";
import regressions from "./regressions.json";
import { runSeed } from "./run-seed.js";

const SEEDS = 600;
const PROCESSES = 2;

async function traceOf(seed: number): Promise<string> {
  const hash = createHash("sha256");
  await runSeed(seed, undefined, (line) => hash.update(`${line}\n`));
  return hash.digest("hex");
}

describe("Seeded schedules", function () {
  this.timeout(400_000);

  it("take the same course each time, to the byte", async () => {
    for (const seed of [3, 42, 4_711]) {
      assert.equal(planOf(seed).commands.length, COMMANDS);
      assert.equal(await traceOf(seed), await traceOf(seed));
    }
  });

  for (const { seed, found } of regressions) {
    it(`have not found this again: ${found} (seed ${seed})`, async () => {
      assert.deepEqual((await runSeed(seed)).found, []);
    });
  }

  // Not yet all of them: `open.json` names the seeds that still find a broken promise, and what it is. The list may only
  // get shorter; `npm run simulate -- --count 10000` shows how far there is to go.
  it(`${SEEDS} of them, spread over every combination, break no promise but those that are known`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "simulation-"));
    try {
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      const file = await bundle(ROOT, join(folder, "worker.cjs"));
      const task = { first: 0, count: SEEDS, stopAfter: SEEDS };
      const { seeds, steps, failures } = await farm(file, task, PROCESSES);
      const known = new Set(open.map(({ seed }) => seed));
      const told = failures
        .filter(({ seed }) => !known.has(seed))
        .map(({ seed, found }) => `npm run simulate -- --seed ${seed} --shrink: ${found[0]}`);
      assert.deepEqual(told, []);
      assert.equal(seeds, SEEDS);
      assert(steps >= SEEDS * COMMANDS);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
