/**
 * `npm run simulate -- --seed N [--combination C] [--shrink]` replays one seed and prints its trace.
 * `npm run simulate -- --count N [--first N] [--combination C]` runs many.
 * `npm run simulate:full` runs 10,000 in each combination.
 */

import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle, farm, ROOT } from "./farm.js";
import { COMBINATIONS, planOf } from "./plan.js";
import { runPlan, runSeed, shrink } from "./run-seed.js";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function replay(
  seed: number,
  combination: number | undefined,
  small: boolean,
): Promise<void> {
  const verdict = await runSeed(seed, combination, small ? undefined : say);
  for (const found of verdict.found) say(`VIOLATION ${found}`);
  const [first] = verdict.found;
  if (first === undefined || !small) {
    say(`${verdict.steps} steps, ${verdict.found.length} violations`);
  } else {
    const plan = await shrink(planOf(seed, combination), first);
    const { commands, ...setting } = plan;
    const last = await runPlan(plan, say);
    say(`setting: ${JSON.stringify(setting)}`);
    for (const command of commands) say(`command: ${JSON.stringify(command)}`);
    for (const found of last.found) say(`VIOLATION ${found}`);
  }
  if (verdict.found.length > 0) process.exitCode = 1;
}

async function many(
  tasks: readonly { combination?: number; count: number; first: number }[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "simulate-"));
  try {
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const file = await bundle("worker.ts", join(folder, "worker.cjs"));
    for (const task of tasks) {
      const startedAt = performance.now();
      const { seeds, steps, failures } = await farm(
        file,
        task,
        Math.min(availableParallelism(), 8),
      );
      const seconds = (performance.now() - startedAt) / 1_000;
      const where =
        task.combination === undefined ? "all combinations" : `combination ${task.combination}`;
      say(
        `${where}: ${seeds} seeds, ${steps} steps, ${failures.length} failed; ${Math.round(seeds / seconds)} seeds/s`,
      );
      for (const { seed, found } of failures) say(`  seed ${seed}: ${found[0]}`);
      if (failures.length > 0) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      combination: { type: "string" },
      count: { type: "string", default: "10000" },
      first: { type: "string", default: "0" },
      shrink: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
    },
  });
  const combination = values.combination === undefined ? undefined : Number(values.combination);
  const count = Number(values.count);
  const first = Number(values.first);
  if (values.seed !== undefined) await replay(Number(values.seed), combination, values.shrink);
  else if (values.full) {
    await many(
      Array.from({ length: COMBINATIONS }, (_, index) => ({ combination: index, count, first })),
    );
  } else await many([combination === undefined ? { count, first } : { combination, count, first }]);
}

void main();
