/** Many seeds on several processes: the sources are bundled once, so that a process starts in an instant. */

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type { Verdict } from "./run-seed.js";

export const ROOT = join(__dirname, "..", "..");

/** Bundles the worker with the sources below `root`. */
export async function bundle(root: string, outfile: string): Promise<string> {
  await build({
    entryPoints: [join(root, "test", "simulation", "worker.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    logLevel: "error",
  });
  return outfile;
}

export interface Task {
  readonly first: number;
  readonly count: number;
  /** Between one seed and the next. @defaultValue 1 */
  readonly step?: number;
  /** Else the seeds go round all of them. */
  readonly combination?: number;
  /** Failures. @defaultValue 10 */
  readonly stopAfter?: number;
  /** Whether to tell the course of each seed as well. */
  readonly isTraced?: boolean;
}

export interface Sum {
  readonly seeds: number;
  readonly steps: number;
  readonly failures: readonly Verdict[];
  /** Digests of what happened, by seed, where they were asked for. */
  readonly courses: ReadonlyMap<number, string>;
}

type Said =
  Verdict | { readonly seed: number; readonly course: string } | Pick<Sum, "seeds" | "steps">;

/** Runs a worker to its end. */
export function work(
  file: string,
  task: Task,
  onStart?: (child: ChildProcess) => void,
): Promise<Sum> {
  // Most of what a run makes is gone with it: a large young generation spares copying it.
  const args = ["--max-semi-space-size=64", file, JSON.stringify(task)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    onStart?.(child);
    const failures: Verdict[] = [];
    const courses = new Map<number, string>();
    let sum: Sum | undefined;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as Said;
      if ("found" in said) failures.push(said);
      else if ("course" in said) courses.set(said.seed, said.course);
      else sum = { ...said, failures, courses };
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (sum === undefined) reject(new Error(`the worker ended with ${code} and without a sum`));
      else resolve(sum);
    });
  });
}

/** Splits seeds over processes. */
export async function farm(file: string, task: Task, processes: number): Promise<Sum> {
  const parts = Array.from({ length: processes }, (_, index) =>
    work(file, {
      ...task,
      first: task.first + index,
      step: processes,
      count: Math.ceil((task.count - index) / processes),
    }),
  );
  const sums = await Promise.all(parts);
  return {
    seeds: sums.reduce((sum, { seeds }) => sum + seeds, 0),
    steps: sums.reduce((sum, { steps }) => sum + steps, 0),
    failures: sums.flatMap(({ failures }) => failures),
    courses: new Map(sums.flatMap(({ courses }) => [...courses])),
  };
}
