import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import type { CounterStore, MonthCount } from "./month-budget.js";

const schema = z.object({ month: z.string().regex(/^\d{4}-\d\d$/), used: z.int().nonnegative() });

/**
 * Keeps the month's count in a small file. It is written beside its place and then moved, so that it is never half
 * there; a file that cannot be read or written is told, and counting goes on in memory.
 */
export class CounterFile implements CounterStore {
  readonly #path: string;
  readonly #onError: (error: Error) => void;

  constructor(path: string, onError: (error: Error) => void) {
    this.#path = path;
    this.#onError = onError;
  }

  load(): MonthCount | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") this.#onError(thrown as Error);
      return undefined;
    }
  }

  save(count: MonthCount): void {
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
