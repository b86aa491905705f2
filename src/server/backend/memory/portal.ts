import { RingBuffer } from "../../../primitives/ring-buffer.js";
import type { PortalPage, PortalQuery } from "../../engine/engine.js";
import { LineCache } from "../../engine/line-cache.js";
import type { StoredItem } from "../../engine/stored-item.js";

/** What a portal leaves behind when its content is gone, so that it goes on, and does not start anew. */
export interface PortalTrace {
  readonly newestSequence: number;
  readonly newestTimestamp: number;
}

/** An empty trace: that of a portal which never was. */
export const NO_TRACE: PortalTrace = { newestSequence: 0, newestTimestamp: 0 };

/** What an item costs in memory beyond its text, roughly, in bytes. */
const ITEM_OVERHEAD_BYTES = 200;

/** Estimated bytes that an item with so much text takes. */
export const costOf = (bytes: number): number => bytes + ITEM_OVERHEAD_BYTES;

/** What all portals of a server have together. */
export interface StorageLedger {
  /** Estimated bytes that they take. */
  bytes: number;
  /** Items that their full rings let go of, since the start. */
  itemsOverrun: number;
}

export interface PortalOptions {
  /** Items that the ring holds. */
  readonly itemsMax: number;
  /** Milliseconds after which an item is gone. */
  readonly ageMsMax: number;
  readonly ledger: StorageLedger;
  /** What a former portal of this name left behind. */
  readonly trace: PortalTrace;
}

/** One portal in memory: a ring of items in the order of their arrival. */
export class Portal {
  readonly #items: RingBuffer<StoredItem>;
  readonly #options: PortalOptions;
  readonly #lines = new LineCache();
  #newestSequence: number;
  #newestTimestamp: number;
  #cost = 0;

  constructor(
    readonly portalId: string,
    options: PortalOptions,
  ) {
    this.#options = options;
    this.#items = new RingBuffer(options.itemsMax);
    this.#newestSequence = options.trace.newestSequence;
    this.#newestTimestamp = options.trace.newestTimestamp;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Estimated bytes that the portal takes. */
  get cost(): number {
    return this.#cost;
  }

  get newestSequence(): number {
    return this.#newestSequence;
  }

  get newestTimestamp(): number {
    return this.#newestTimestamp;
  }

  get trace(): PortalTrace {
    return { newestSequence: this.#newestSequence, newestTimestamp: this.#newestTimestamp };
  }

  /** Appends an item that bears the next sequence number; a full ring lets go of its oldest. */
  append(item: StoredItem): void {
    const overwritten = this.#items.push(item);
    if (overwritten !== undefined) this.#options.ledger.itemsOverrun += 1;
    this.#charge(costOf(item.bytes) - (overwritten === undefined ? 0 : costOf(overwritten.bytes)));
    this.#newestSequence = item.sequence;
    this.#newestTimestamp = item.serverTimestamp;
  }

  /** Lets go of the oldest item. */
  dropOldest(): void {
    const dropped = this.#items.shift();
    if (dropped !== undefined) this.#charge(-costOf(dropped.bytes));
  }

  /** Lets go of what is older than the greatest age. */
  expire(nowMs: number): void {
    const { ageMsMax } = this.#options;
    while (this.#items.length > 0 && isOlder(this.#items.at(0), ageMsMax, nowMs)) {
      this.dropOldest();
    }
  }

  oldest(): StoredItem | undefined {
    return this.#items.length === 0 ? undefined : this.#items.at(0);
  }

  newest(): StoredItem | undefined {
    return this.#items.length === 0 ? undefined : this.#items.at(this.#items.length - 1);
  }

  /** The items that a query asks for, without copying them. */
  read(query: PortalQuery, nowMs: number): PortalPage {
    const items = this.#items;
    const oldestSequence = this.#newestSequence - items.length + 1;
    let start = Math.min(items.length, Math.max(0, query.afterSequence + 1 - oldestSequence));
    const { fromTimestamp, cutoffMs } = query;
    if (fromTimestamp !== undefined) {
      start = Math.max(
        start,
        items.firstIndex((item) => item.serverTimestamp >= fromTimestamp),
      );
    }
    const firstSequence = oldestSequence + start;
    if (cutoffMs >= 0) {
      start = Math.max(
        start,
        items.firstIndex((item) => !isOlder(item, cutoffMs, nowMs)),
      );
    }
    return {
      portalId: this.portalId,
      length: items.length - start,
      at: (index) => items.at(start + index),
      newestSequence: this.#newestSequence,
      firstSequence,
      lines: this.#lines,
    };
  }

  #charge(bytes: number): void {
    this.#cost += bytes;
    this.#options.ledger.bytes += bytes;
  }
}

/** Ages are whole milliseconds: an item handed on within the millisecond of its arrival has the age 0. */
const isOlder = (item: StoredItem, ageMs: number, nowMs: number): boolean =>
  Math.floor(nowMs - item.storedAtMs) > ageMs;
