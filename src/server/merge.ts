import type { Schedule } from "../protocol/item.js";
import type { PortalPage } from "./engine/engine.js";
import type { StoredItem } from "./engine/stored-item.js";

interface Cursor {
  readonly page: PortalPage;
  /** Where in the page the next item is. */
  index: number;
  item: StoredItem;
}

/**
 * The items of several portals in the order of their arrival, or against it. A binary heap of the portals' next items:
 * an item costs the logarithm of the number of portals, whatever they hold.
 */
export class Merge {
  readonly #step: 1 | -1;
  readonly #heap: Cursor[] = [];

  constructor(pages: readonly PortalPage[], schedule: Schedule) {
    this.#step = schedule === "FIFO" ? 1 : -1;
    for (const page of pages) {
      if (page.length === 0) continue;
      const index = schedule === "FIFO" ? 0 : page.length - 1;
      this.#heap.push({ page, index, item: page.at(index) });
    }
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  /** The next item, or undefined at the end. */
  peek(): StoredItem | undefined {
    return this.#heap[0]?.item;
  }

  /** Goes past the next item. */
  advance(): void {
    const [top] = this.#heap;
    if (top === undefined) return;
    top.index += this.#step;
    if (top.index >= 0 && top.index < top.page.length) {
      top.item = top.page.at(top.index);
    } else {
      const last = this.#heap.pop() as Cursor;
      if (this.#heap.length > 0) this.#heap[0] = last;
    }
    this.#sink(0);
  }

  /** Portals that still have items. */
  remaining(): readonly string[] {
    return this.#heap.map(({ page }) => page.portalId);
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      let first = at;
      if (this.#precedes(left, first)) first = left;
      if (this.#precedes(left + 1, first)) first = left + 1;
      if (first === at) return;
      const moved = this.#heap[at] as Cursor;
      this.#heap[at] = this.#heap[first] as Cursor;
      this.#heap[first] = moved;
      at = first;
    }
  }

  #precedes(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return (one.item.order - other.item.order) * this.#step < 0;
  }
}
