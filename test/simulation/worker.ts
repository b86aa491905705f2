/**
 * Runs seeds and prints a line of JSON for each that fails, and one with the sums at the end.
 *
 * Arguments: first seed, seeds, step between seeds, combination or `-`, failures after which to stop.
 */

import { runSeed } from "./run-seed.js";

async function main(): Promise<void> {
  const [first = "0", count = "1", step = "1", combination = "-", stopAfter = "10"] =
    process.argv.slice(2);
  const only = combination === "-" ? undefined : Number(combination);
  let steps = 0;
  let seeds = 0;
  let failures = 0;
  for (let index = 0; index < Number(count) && failures < Number(stopAfter); index += 1) {
    const verdict = await runSeed(Number(first) + index * Number(step), only);
    steps += verdict.steps;
    seeds += 1;
    if (verdict.found.length === 0) continue;
    failures += 1;
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
  }
  process.stdout.write(`${JSON.stringify({ seeds, steps, failures })}\n`);
}

void main();
