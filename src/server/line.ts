/** Which items go into the next line of an answer. Pure. */

import type { Schedule } from "../protocol/item.js";
import { encodeLine, LINE_OVERHEAD_BYTES } from "../protocol/server-codec.js";
import type { PortalPage } from "./engine/engine.js";
import { Merge } from "./merge.js";
import type { StoredItem } from "./engine/stored-item.js";

export interface LineBounds {
  readonly itemsMax: number;
  /** Bytes of a line, its newline included. */
  readonly bytesMax: number;
  /** What becomes of oldest-first items that do not fit. */
  readonly overflow: "wait" | "skip";
}

/** A portal and the sequence number to go on after. */
export interface Reached {
  readonly portalId: string;
  readonly sequence: number;
}

export interface Line {
  readonly bytes: Buffer;
  readonly itemCount: number;
  /** When the engine got the newest of them, in the clock's ms. */
  readonly newestStoredAtMs: number;
  /** How far the line takes its reader, at most once for a portal. */
  readonly reached: readonly Reached[];
  /** Portals that have more for the next line. */
  readonly unfinished: readonly string[];
}

/** A newest-first line passes over at most so many items that do not fit, so that its cost has a bound. */
const SKIPPED_ITEMS_MAX = 100;

/** No item takes less: below this much room, none needs to be looked at. */
const ITEM_BYTES_MIN = 50;

/** The next line from these pages, or undefined when they are empty. */
export function composeLine(
  pages: readonly PortalPage[],
  schedule: Schedule,
  bounds: LineBounds,
): Line | undefined {
  const filled = pages.length === 1 ? pages : pages.filter((page) => page.length > 0);
  if (filled.length === 0 || filled[0]?.length === 0) return undefined;
  const chosen = schedule === "FIFO" ? oldestFirst(filled, bounds) : newestFirst(pages, bounds);
  const { items, reached, unfinished } = chosen;
  if (items.length === 0) return undefined;
  const bytes = bytesOf(items, filled);
  const newestStoredAtMs = newestOfEnds(items);
  return { bytes, itemCount: items.length, newestStoredAtMs, reached, unfinished };
}

/** Items of a line stand in the order of their arrival, or against it. */
const newestOfEnds = (items: readonly StoredItem[]): number =>
  Math.max(items[0]?.storedAtMs ?? 0, items.at(-1)?.storedAtMs ?? 0);

interface Chosen {
  readonly items: readonly StoredItem[];
  readonly reached: readonly Reached[];
  readonly unfinished: readonly string[];
}

/** Stops at the first item that does not fit: it is the first of the next line. */
function oldestFirst(pages: readonly PortalPage[], bounds: LineBounds): Chosen {
  const [page] = pages;
  if (page !== undefined && pages.length === 1) return oldestOf(page, bounds);
  const merge = new Merge(pages, "FIFO");
  const room = new Room(bounds);
  const items: StoredItem[] = [];
  for (let item = merge.peek(); item !== undefined && room.take(item); item = merge.peek()) {
    items.push(item);
    merge.advance();
  }
  if (bounds.overflow === "skip") return { items, reached: newestOf(pages), unfinished: [] };
  return { items, reached: lastOf(items), unfinished: merge.remaining() };
}

/** The same of one portal, as most readers have it: there is nothing to merge. */
function oldestOf(page: PortalPage, bounds: LineBounds): Chosen {
  const { portalId, length } = page;
  const room = new Room(bounds);
  const items: StoredItem[] = [];
  for (let at = 0; at < length; at += 1) {
    const item = page.at(at);
    if (!room.take(item)) break;
    items.push(item);
  }
  if (bounds.overflow === "skip") return { items, reached: newestOf([page]), unfinished: [] };
  return { items, reached: items.slice(-1), unfinished: items.length < length ? [portalId] : [] };
}

/** The last item of each portal; the items of one come in their order. */
const lastOf = (items: readonly StoredItem[]): readonly Reached[] => [
  ...new Map(items.map((item) => [item.portalId, item])).values(),
];

/** Past everything that was there. */
const newestOf = (pages: readonly PortalPage[]): readonly Reached[] =>
  pages
    .filter(({ newestSequence }) => newestSequence > 0)
    .map(({ portalId, newestSequence }) => ({ portalId, sequence: newestSequence }));

/** Skips what does not fit, and takes the reader past everything that was there. */
function newestFirst(pages: readonly PortalPage[], bounds: LineBounds): Chosen {
  const merge = new Merge(pages, "LIFO");
  const room = new Room(bounds);
  const items: StoredItem[] = [];
  let skipped = 0;
  for (let item = merge.peek(); item !== undefined; item = merge.peek()) {
    if (room.isFull || skipped > SKIPPED_ITEMS_MAX) break;
    if (room.take(item)) items.push(item);
    else skipped += 1;
    merge.advance();
  }
  return { items, reached: newestOf(pages), unfinished: [] };
}

/** What is left of a line. */
class Room {
  #items: number;
  #bytes: number;

  constructor(bounds: LineBounds) {
    this.#items = bounds.itemsMax;
    // The first item has no comma before it.
    this.#bytes = bounds.bytesMax - LINE_OVERHEAD_BYTES + 1;
  }

  get isFull(): boolean {
    return this.#items === 0 || this.#bytes < ITEM_BYTES_MIN;
  }

  /** Takes the item in if it fits. */
  take(item: StoredItem): boolean {
    const bytes = item.bytes + 1;
    if (this.#items === 0 || bytes > this.#bytes) return false;
    this.#items -= 1;
    this.#bytes -= bytes;
    return true;
  }
}

function bytesOf(items: readonly StoredItem[], pages: readonly PortalPage[]): Buffer {
  const cache = pages[0]?.lines;
  const cached = cache?.get(items);
  if (cached !== undefined) return cached;
  const bytes = Buffer.from(encodeLine(items.map(({ encoded }) => encoded)));
  cache?.put(items, bytes);
  return bytes;
}

/**
 * A line with the items that fit, as they come, and the others. For the list of an account's portals.
 *
 * @returns undefined when there is nothing, or nothing that fits
 */
export function composeList(
  items: readonly StoredItem[],
  bounds: LineBounds,
): (Pick<Line, "bytes" | "itemCount"> & { readonly rest: readonly StoredItem[] }) | undefined {
  const room = new Room(bounds);
  const fitting: StoredItem[] = [];
  const rest: StoredItem[] = [];
  for (const item of items) (room.take(item) ? fitting : rest).push(item);
  if (fitting.length === 0) return undefined;
  const bytes = Buffer.from(encodeLine(fitting.map(({ encoded }) => encoded)));
  return { bytes, itemCount: fitting.length, rest };
}
