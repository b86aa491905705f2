import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the heap in use, after collecting until that does not make it less any more. */
export async function stableHeapBytes(): Promise<number> {
  let least = Infinity;
  for (let idle = 0; idle < 3;) {
    // What a finished promise still holds is let go of in a later turn.
    await setImmediate();
    collect();
    const { heapUsed } = process.memoryUsage();
    idle = heapUsed < least - 10_000 ? 0 : idle + 1;
    least = Math.min(least, heapUsed);
  }
  return least;
}
