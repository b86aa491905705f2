/** How much memory a process has in use, told to its parent whenever it asks. */

import { setTimeout as sleep } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { answerQuestions } from "./child.js";

/** In bytes, after as many collections as it takes. */
export interface Memory {
  readonly heapUsed: number;
  /** All that is resident. */
  readonly rss: number;
  /** The same without V8's space for new objects: its size tells of what was done, and not of what is held. */
  readonly settled: number;
}

const COLLECTIONS_MAX = 20;
/** Collections in a row that differ by less have found all there is to find, and given back what they can. */
const STABLE_BYTES = 131_072;
const STABLE_TIMES = 3;
/** What is let go of in steps: sockets that are closing, and memory that goes back to the system. */
const PAUSE_MS = 150;

/** Answers with its memory each time it is asked. Needs `--expose-gc`. */
export function answerMemory(): void {
  answerQuestions(settledMemory);
}

async function settledMemory(): Promise<Memory> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("the process was not started with --expose-gc");
  let before = Number.POSITIVE_INFINITY;
  let stable = 0;
  for (let count = 1; ; count += 1) {
    await sleep(PAUSE_MS);
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    const now = heapUsed + rss;
    stable = Math.abs(before - now) < STABLE_BYTES ? stable + 1 : 0;
    if (stable === STABLE_TIMES || count === COLLECTIONS_MAX) {
      return { heapUsed, rss, settled: rss - newSpaceBytes() };
    }
    before = now;
  }
}

const newSpaceBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")
    ?.physical_space_size ?? 0;
