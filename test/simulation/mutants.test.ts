import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle, ROOT, WORKER_FLAGS } from "./farm.js";
import type { Hunt } from "./hunt.js";
import { MUTANTS, type Mutant } from "./mutants.js";

const SEEDS = 1_000;
const AT_A_TIME = 2;
const HUNT_MS_MAX = 200_000;

const run = promisify(execFile);

describe("The simulation", function () {
  this.timeout(600_000);

  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "mutants-"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`finds each of ${MUTANTS.length} deliberate bugs within 1,000 seeds`, async () => {
    const hunter = await bundle("hunt.ts", join(folder, "hunt.cjs"));
    const sound = await bundle("run-seed.ts", join(folder, "sound.cjs"));
    const hunt = async (mutant: Mutant, index: number): Promise<Hunt> => {
      const buggy = await bundle("run-seed.ts", join(folder, `${index}.cjs`), mutant);
      const args = [...WORKER_FLAGS, hunter, buggy, sound, `${SEEDS}`];
      const { stdout } = await run(process.execPath, args, { timeout: HUNT_MS_MAX });
      return JSON.parse(stdout) as Hunt;
    };
    const missed: string[] = [];
    const waiting = [...MUTANTS.entries()];
    const runner = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, mutant] = next;
        const startedAt = performance.now();
        const { seed, found, seeds } = await hunt(mutant, index);
        if (seed === undefined) missed.push(`${mutant.name} (${seeds} seeds)`);
        if (process.env["MUTANTS_TOLD"] === undefined) continue;
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        process.stdout.write(
          `${seconds} s: ${mutant.name}: seed ${seed}, ${found?.slice(0, 100)}\n`,
        );
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, runner));
    assert.deepEqual(missed, []);
  });
});
