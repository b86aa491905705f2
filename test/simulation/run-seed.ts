/** One seed: its run, its verdict, and its smallest form when it fails. */

import { createHash } from "node:crypto";
import { violations } from "./checker.js";
import type { Command, Plan } from "./plan.js";
import { planOf } from "./plan.js";
import { World } from "./world.js";

export interface Verdict {
  readonly seed: number;
  readonly found: readonly string[];
  readonly steps: number;
}

export async function runPlan(plan: Plan, trace?: (line: string) => void): Promise<Verdict> {
  const history = await new World(plan, trace).run();
  return { seed: plan.seed, found: violations(history), steps: history.steps };
}

export const runSeed = (
  seed: number,
  combination?: number,
  trace?: (line: string) => void,
): Promise<Verdict> => runPlan(planOf(seed, combination), trace);

/** A digest of all that happens in a seed, to the byte. */
export async function courseOf(seed: number): Promise<string> {
  const hash = createHash("sha256");
  await runSeed(seed, undefined, (line) => hash.update(`${line}\n`));
  return hash.digest("hex");
}

/** What a violation is about, numbers and names aside. */
export const gist = (text: string): string => text.replaceAll(/[\d.]+|\{.*\}/g, "#").slice(0, 60);

/** Fewer commands that still break the same rule: halves, then smaller parts are left out, as long as it helps. */
export async function shrink(plan: Plan, found: string, msMax = 20_000): Promise<Plan> {
  const until = performance.now() + msMax;
  const fails = async (commands: readonly Command[]): Promise<boolean> => {
    const verdict = await runPlan({ ...plan, commands });
    return verdict.found.some((text) => gist(text) === gist(found));
  };
  let { commands } = plan;
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < commands.length;) {
      if (performance.now() > until) return { ...plan, commands };
      const fewer = [...commands.slice(0, from), ...commands.slice(from + size)];
      if (await fails(fewer)) commands = fewer;
      else from += size;
    }
  }
  return { ...plan, commands };
}
