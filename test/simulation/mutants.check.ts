import assert from "node:assert/strict";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, ROOT, work } from "./farm.js";
import { MUTANTS, type Mutant } from "./mutants.js";
import { runSeed, type Verdict } from "./run-seed.js";

const SEEDS = 1_000;
const AT_A_TIME = 2;

/** A copy of the sources with one bug in it, as one file. */
async function mutate(
  folder: string,
  { file, search, replace }: Mutant,
  index: number,
): Promise<string> {
  const root = join(folder, `${index}`);
  mkdirSync(join(root, "test"), { recursive: true });
  cpSync(join(ROOT, "src"), join(root, "src"), { recursive: true });
  cpSync(join(ROOT, "test", "simulation"), join(root, "test", "simulation"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const path = join(root, "src", file);
  const source = readFileSync(path, "utf8");
  assert.equal(source.split(search).length, 2, `${file} has ${search} exactly once`);
  writeFileSync(
    path,
    source.replace(search, () => replace),
  );
  return bundle(root, join(root, "worker.cjs"));
}

/** The first seed that fails with the bug and not without it. */
async function firstOwn(failures: readonly Verdict[]): Promise<Verdict | undefined> {
  for (const verdict of failures) {
    const { found } = await runSeed(verdict.seed);
    if (found.length === 0) return verdict;
  }
  return undefined;
}

describe("The simulation", function () {
  this.timeout(300_000);

  it("finds each of the deliberate bugs within 1,000 seeds", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mutants-"));
    const missed: string[] = [];
    const found: string[] = [];
    const waiting = [...MUTANTS.entries()];
    const runner = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, mutant] = next;
        const file = await mutate(folder, mutant, index);
        const { failures, seeds } = await work(file, { first: 0, count: SEEDS, stopAfter: 5 });
        const first = await firstOwn(failures);
        if (first === undefined) missed.push(`${mutant.name} (${seeds} seeds)`);
        else found.push(`${mutant.name}: seed ${first.seed}, ${first.found[0]?.slice(0, 100)}`);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_A_TIME }, runner));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    if (process.env["MUTANTS_TOLD"] !== undefined) process.stdout.write(`${found.join("\n")}\n`);
    assert.deepEqual(missed, []);
    assert(found.length >= 20);
  });
});
