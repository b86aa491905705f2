import { stat } from "node:fs/promises";
import type { Cancel, Clock } from "../../primitives/clock.js";

/** Milliseconds between two looks. */
const LOOK_MS = 2_000;

export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly onChange: () => void;
}

/**
 * Looks at files now and then, and tells when one of them is another: notices of the file system get lost where a file
 * is replaced, mounted or far away.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #seen: string | undefined;
  #cancel: Cancel | undefined;
  #isClosed = false;

  private constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** What is read after this resolves is not older than the first look. */
  static async open(options: FileWatchOptions): Promise<FileWatch> {
    const watch = new FileWatch(options);
    await watch.#look();
    return watch;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    const { paths, clock, onChange } = this.#options;
    const seen = (await Promise.all(paths.map(lookOf))).join(" ");
    if (this.#isClosed) return;
    if (this.#seen !== undefined && seen !== this.#seen) onChange();
    this.#seen = seen;
    if (paths.length > 0) this.#cancel = clock.schedule(LOOK_MS, () => void this.#look());
  }
}

/** What tells one state of a file from another; one that cannot be seen is a state, too. */
async function lookOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs}/${size}/${ino}`;
  } catch {
    return "-";
  }
}
