/** CPU time of a process that is not this one. */

import { readdirSync, readFileSync } from "node:fs";

/**
 * Microseconds of CPU time that a process has used since its start, its threads included; undefined where the system
 * does not tell (anywhere but on Linux).
 */
export function cpuMicrosOf(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, id) => sum + microsOf(`/proc/${pid}/task/${id}/schedstat`), 0);
  } catch {
    return undefined;
  }
}

/** A thread that has ended meanwhile has used nothing since. */
function microsOf(file: string): number {
  try {
    return Number(readFileSync(file, "latin1").split(" ")[0]) / 1_000;
  } catch {
    return 0;
  }
}
