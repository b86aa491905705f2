import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, farm, ROOT, work } from "./farm.js";
import { COMMANDS, planOf } from "./plan.js";
import regressions from "./regressions.json";
import { courseOf, runPlan } from "./run-seed.js";

const SEEDS = 10_000;
const PROCESSES = 2;

describe("Seeded schedules", function () {
  // Beside the other tests it has only what they leave of the processor.
  this.timeout(600_000);

  let folder = "";
  let worker = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "simulation-"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    worker = await bundle("worker.ts", join(folder, "worker.cjs"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("take the same course each time and in each process, to the byte", async () => {
    const { courses } = await work(worker, { first: 41, count: 4, isTraced: true });
    assert.equal(courses.size, 4);
    for (const [seed, course] of courses) {
      assert.equal(planOf(seed).commands.length, COMMANDS);
      assert.equal(await courseOf(seed), course);
    }
  });

  for (const { seed, found } of regressions) {
    it(`have not found this again: ${found} (seed ${seed})`, async () => {
      // What is remembered happened to a server that answers at once.
      const { found: now } = await runPlan({ ...planOf(seed), slowBackend: false });
      assert.deepEqual(now, []);
    });
  }

  it(`${SEEDS} of them, spread over every combination, break no promise`, async () => {
    const task = { first: 0, count: SEEDS, stopAfter: 20 };
    const { seeds, steps, failures } = await farm(worker, task, PROCESSES);
    const told = failures.map(
      ({ seed, found }) => `npm run simulate -- --seed ${seed} --shrink: ${found[0]}`,
    );
    assert.deepEqual(told, []);
    assert.equal(seeds, SEEDS);
    assert(steps >= SEEDS * COMMANDS);
  });
});
