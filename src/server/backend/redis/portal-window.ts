import { RingBuffer } from "../../../primitives/ring-buffer.js";
import type { PortalPage, PortalQuery } from "../../engine/engine.js";
import { LineCache } from "../../engine/line-cache.js";
import type { StoredItem } from "../../engine/stored-item.js";

/** Bytes that one window takes up at most, and that all of a process do. What is beyond is read from Redis. */
const WINDOW_BYTES_MAX = 262_144;
const WINDOWS_BYTES_MAX = 67_108_864;

/** Bytes that an item takes in memory beyond its text, roughly. */
const ITEM_OVERHEAD_BYTES = 200;

/** Bytes of all windows of a process together. */
export interface WindowLedger {
  bytes: number;
}

/**
 * The newest items of a portal that somebody waits for in this process, an unbroken run up to the newest one that the
 * process knows of. It is made once, however many readers it has.
 */
export class PortalWindow {
  readonly #items: RingBuffer<StoredItem>;
  readonly #lines = new LineCache();
  readonly #ledger: WindowLedger;
  readonly #ageMsMax: number;
  #bytes = 0;
  #newest: number | undefined;

  constructor(options: {
    readonly itemsMax: number;
    readonly ageMsMax: number;
    readonly ledger: WindowLedger;
  }) {
    this.#items = new RingBuffer(options.itemsMax);
    this.#ageMsMax = options.ageMsMax;
    this.#ledger = options.ledger;
  }

  /** Sequence number of the newest item that the process knows of; undefined while it knows of none. */
  get newest(): number | undefined {
    return this.#newest;
  }

  /** Learns where the portal is, unless it knows already. */
  begin(newest: number): void {
    this.#newest ??= newest;
  }

  /** Takes the next item in. After a break in the numbers it begins anew with it. */
  push(item: StoredItem): void {
    if (this.#newest !== item.sequence - 1) this.clear();
    this.#newest = item.sequence;
    const overwritten = this.#items.push(item);
    if (overwritten !== undefined) this.#charge(-costOf(overwritten));
    this.#charge(costOf(item));
    while (this.#bytes > WINDOW_BYTES_MAX || this.#ledger.bytes > WINDOWS_BYTES_MAX) {
      if (!this.#shift()) break;
    }
  }

  /** Forgets everything, and where the portal is. */
  clear(): void {
    while (this.#shift());
    this.#newest = undefined;
  }

  /** Whether every item that may be asked for after this one is here. */
  covers(afterSequence: number): boolean {
    return this.#newest !== undefined && afterSequence >= this.#newest - this.#items.length;
  }

  /** What a query asks for, without copying it. Only for one that it covers. */
  page(
    { portalId, afterSequence, fromTimestamp, cutoffMs }: PortalQuery,
    nowMs: number,
  ): PortalPage {
    const items = this.#items;
    while (items.length > 0 && isOlder(items.at(0), this.#ageMsMax, nowMs)) this.#shift();
    const newest = this.#newest ?? 0;
    const oldest = newest - items.length + 1;
    let start = Math.min(items.length, Math.max(0, afterSequence + 1 - oldest));
    const skipTo = (isWanted: (item: StoredItem) => boolean): void => {
      start = Math.max(start, items.firstIndex(isWanted));
    };
    if (fromTimestamp !== undefined) skipTo((item) => item.serverTimestamp >= fromTimestamp);
    const firstSequence = oldest + start;
    if (cutoffMs >= 0) skipTo((item) => !isOlder(item, cutoffMs, nowMs));
    return {
      portalId,
      length: items.length - start,
      at: (index) => items.at(start + index),
      newestSequence: newest,
      firstSequence,
      lines: this.#lines,
    };
  }

  #shift(): boolean {
    const item = this.#items.shift();
    if (item === undefined) return false;
    this.#charge(-costOf(item));
    return true;
  }

  #charge(bytes: number): void {
    this.#bytes += bytes;
    this.#ledger.bytes += bytes;
  }
}

const costOf = (item: StoredItem): number => item.bytes + ITEM_OVERHEAD_BYTES;

const isOlder = (item: StoredItem, ageMs: number, nowMs: number): boolean =>
  Math.floor(nowMs - item.storedAtMs) > ageMs;
