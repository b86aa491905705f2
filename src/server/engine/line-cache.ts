import type { StoredItem } from "./stored-item.js";

/** A line, and what it is made of. */
interface Cached {
  readonly items: readonly StoredItem[];
  readonly bytes: Buffer;
}

/**
 * Portals whose lines are kept. The readers of an item are served within a moment: what was kept for longer, for every
 * portal that there is, would be memory that no bound on items knows of.
 */
const CACHES_MAX = 64;

/** Those that keep lines, in the order in which they began to. */
const keeping: LineCache[] = [];

/**
 * The last lines that began in one portal, so that a thousand readers of the same items share one Buffer: one of each
 * kind. That is enough: readers that wait are served one after the other with the same new items.
 */
export class LineCache {
  /** By {@link kindOf}; made with the first line. */
  #lines: (Cached | undefined)[] | undefined;

  get(items: readonly StoredItem[]): Buffer | undefined {
    const cached = this.#lines?.[kindOf(items)];
    if (cached?.items.length !== items.length) return undefined;
    // An item is made once: the same items are the same objects.
    return cached.items.every((item, at) => item === items[at]) ? cached.bytes : undefined;
  }

  put(items: readonly StoredItem[], bytes: Buffer): void {
    this.#lines ??= this.#begin();
    this.#lines[kindOf(items)] = { items, bytes };
  }

  #begin(): (Cached | undefined)[] {
    keeping.push(this);
    const oldest = keeping.length > CACHES_MAX ? keeping.shift() : undefined;
    if (oldest !== undefined) oldest.#lines = undefined;
    return [undefined, undefined, undefined, undefined];
  }
}

/** Of one portal or of several, oldest first or newest first: 0 to 3. */
function kindOf(items: readonly StoredItem[]): number {
  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return (first.portalId === last.portalId ? 0 : 2) + (first.order > last.order ? 1 : 0);
}
