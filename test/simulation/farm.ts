/** Many seeds on several processes: the sources are bundled once, so that a process starts in an instant. */

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build, type Plugin } from "esbuild";
import type { Verdict } from "./run-seed.js";

export const ROOT = join(__dirname, "..", "..");

/**
 * Most of what a run makes is gone with it: a large young generation spares copying it. There are as many processes as
 * processors: helping threads would only take turns with them.
 */
export const WORKER_FLAGS = ["--max-semi-space-size=64", "--single-threaded-gc"] as const;

/** Something in the sources to be read as if it were written otherwise. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly search: string;
  readonly replace: string;
}

/**
 * Bundles one of the simulation's files with all that it imports.
 *
 * @throws Error when what the patch searches for does not occur exactly once
 */
export async function bundle(entry: string, outfile: string, patch?: Patch): Promise<string> {
  await build({
    entryPoints: [join(__dirname, entry)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    logLevel: "error",
    plugins: patch === undefined ? [] : [patching(patch)],
  });
  return outfile;
}

function patching({ file, search, replace }: Patch): Plugin {
  const path = join(ROOT, "src", file);
  return {
    name: "patch",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (loaded) => {
        if (loaded.path !== path) return undefined;
        const parts = readFileSync(path, "utf8").split(search);
        if (parts.length === 2) return { contents: parts.join(replace), loader: "ts" };
        throw new Error(`src/${file} has to have ${search} once, not ${parts.length - 1} times`);
      });
    },
  };
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
  const args = [...WORKER_FLAGS, file, JSON.stringify(task)];
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
