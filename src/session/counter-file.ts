import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import type { CounterStore, MonthCount } from "./month-budget.js";

const schema = z.object({ month: z.string().regex(/^\d{4}-\d\d$/), used: z.int().nonnegative() });

/**
 * Keeps the month's count in a small file, for all clients that share it: each adds what it counted since it last looked.
 * It is written beside its place and then moved, so that it is never half there; a file that cannot be read or written
 * is told, and counting goes on in memory.
 */
export class CounterFile implements CounterStore {
  readonly #path: string;
  readonly #onError: (error: Error) => void;
  /** What was in the file when this client last looked: the rest of its count is its own. */
  #known: MonthCount | undefined;

  constructor(path: string, onError: (error: Error) => void) {
    this.#path = path;
    this.#onError = onError;
  }

  load(): MonthCount | undefined {
    this.#known = this.#read();
    return this.#known;
  }

  save({ month, used }: MonthCount): void {
    const own = used - (this.#known?.month === month ? this.#known.used : 0);
    const kept = this.#read();
    // Another client is in a later month already, where nothing of this one counts.
    if (kept !== undefined && kept.month > month) return;
    // A file that was lost in the meantime begins with all that this client knows of.
    const total = kept?.month === month ? kept.used + own : used;
    this.#known = { month, used: total };
    this.#write(this.#known);
  }

  #read(): MonthCount | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") this.#onError(thrown as Error);
      return undefined;
    }
  }

  #write(count: MonthCount): void {
    const beside = `${this.#path}.new`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(beside, `${JSON.stringify(count)}\n`);
      renameSync(beside, this.#path);
    } catch (thrown) {
      this.#onError(thrown as Error);
    }
  }
}
