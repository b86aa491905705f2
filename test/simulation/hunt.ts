/**
 * Runs plain seeds on sources with a deliberate bug until one fails that does not fail without the bug, and prints how
 * far it came as a line of JSON. Arguments: the bundle of `run-seed.ts` with the bug, the one without, seeds.
 */

import type * as RunSeed from "./run-seed.js";

/** What came of it. */
export interface Hunt {
  /** Seeds that were run. */
  readonly seeds: number;
  /** Those that failed without the bug as well. */
  readonly passedOver: number;
  /** The seed that found the bug, and what it found. */
  readonly seed?: number;
  readonly found?: string;
}

const load = (path: string): typeof RunSeed => require(path) as typeof RunSeed;

async function hunt(buggy: string, sound: string, count: number): Promise<Hunt> {
  const { runSeed } = load(buggy);
  let passedOver = 0;
  for (let seed = 0; seed < count; seed += 1) {
    const [found] = (await runSeed(seed)).found;
    if (found === undefined) continue;
    const { found: anyway } = await load(sound).runSeed(seed);
    if (anyway.length === 0) return { seeds: seed + 1, passedOver, seed, found };
    passedOver += 1;
  }
  return { seeds: count, passedOver };
}

const [buggy = "", sound = "", count = "0"] = process.argv.slice(2);
Error.stackTraceLimit = 0;
void hunt(buggy, sound, Number(count)).then((end) =>
  process.stdout.write(`${JSON.stringify(end)}\n`),
);
