import type { StoredItem } from "./stored-item.js";

/**
 * The last line that was made from one portal alone, so that a thousand readers of the same items share one Buffer.
 * One line is enough: readers that wait are served one after the other with the same new items.
 */
export class LineCache {
  #first: StoredItem | undefined;
  #last: StoredItem | undefined;
  #bytes: Buffer | undefined;

  /** @param items - an unbroken run of the portal's items, in either direction */
  get(items: readonly StoredItem[]): Buffer | undefined {
    return this.#first === items[0] && this.#last === items.at(-1) ? this.#bytes : undefined;
  }

  put(items: readonly StoredItem[], bytes: Buffer): void {
    this.#first = items[0];
    this.#last = items.at(-1);
    this.#bytes = bytes;
  }
}

/** Whether the items lie one beside the other in their portal. */
export function isUnbroken(items: readonly StoredItem[]): boolean {
  const first = items[0]?.sequence ?? 0;
  const last = items.at(-1)?.sequence ?? 0;
  return Math.abs(last - first) + 1 === items.length;
}
