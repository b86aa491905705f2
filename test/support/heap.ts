import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the heap in use, after collecting until that does not make it less any more. */
export const stableHeapBytes = (): Promise<number> => stable(({ heapUsed }) => heapUsed);

/** The same, with what Buffers hold outside of the heap. */
export const stableMemoryBytes = (): Promise<number> =>
  stable(({ heapUsed, arrayBuffers }) => heapUsed + arrayBuffers);

async function stable(bytesOf: (usage: NodeJS.MemoryUsage) => number): Promise<number> {
  let least = Infinity;
  for (let idle = 0; idle < 3;) {
    // What a finished promise still holds is let go of in a later turn.
    await setImmediate();
    collect();
    const used = bytesOf(process.memoryUsage());
    idle = used < least - 10_000 ? 0 : idle + 1;
    least = Math.min(least, used);
  }
  return least;
}
