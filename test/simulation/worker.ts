/** Runs the seeds of a task, and prints a line of JSON for each that fails, and one with the sums at the end. */

import type { Task } from "./farm.js";
import { courseOf, runSeed } from "./run-seed.js";

// Errors are values here, and nobody reads where they came about: `npm run simulate -- --seed` tells that.
Error.stackTraceLimit = 0;

const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? "{}") as Task;
  const { first, count, step = 1, combination, stopAfter = 10 } = task;
  let steps = 0;
  let seeds = 0;
  let failures = 0;
  for (let index = 0; index < count && failures < stopAfter; index += 1) {
    const seed = first + index * step;
    if (task.isTraced === true) say({ seed, course: await courseOf(seed) });
    const verdict = await runSeed(seed, combination);
    steps += verdict.steps;
    seeds += 1;
    if (verdict.found.length === 0) continue;
    failures += 1;
    say(verdict);
  }
  say({ seeds, steps });
}

void main();
