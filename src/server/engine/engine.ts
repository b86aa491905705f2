import type { MaybeAsync } from "../../primitives/maybe-async.js";
import type { NewItem } from "../../protocol/item.js";
import type { LineCache } from "./line-cache.js";
import type { StoredItem } from "./stored-item.js";

/** What a reader wants of one portal. */
export interface PortalQuery {
  readonly portalId: string;
  /** Items after this sequence number; 0 for all. */
  readonly afterSequence: number;
  /** Items from this server timestamp on. */
  readonly fromTimestamp: number | undefined;
  /** Leaves out items older than this many ms; -1 for no limit. */
  readonly cutoffMs: number;
}

/** Items of one portal, oldest first. Good until the engine is called again: it may be a view and not a copy. */
export interface PortalPage {
  readonly portalId: string;
  readonly length: number;
  at(index: number): StoredItem;
  /** Sequence number of the newest item that the portal ever had; 0 when it had none. */
  readonly newestSequence: number;
  /** Where the query begins, the cutoff aside: every item before it lies before the position or the reference time. */
  readonly firstSequence: number;
  /** Where the last line made from this portal alone is kept for its next reader. */
  readonly lines: LineCache;
}

/** Somebody who wants to be told of new items. */
export interface EngineReader {
  /** Its place among all readers by the time of their coming. */
  readonly openedAs: number;
  /** Called once for each append that touched any of its portals, with all portals that the append touched. */
  wake(portalIds: readonly string[]): void;
}

/**
 * Storage behind the server. An engine that has its data at hand answers at once and not through a promise: a turn of
 * the event loop for each set and each reader would be the greater part of their cost.
 */
export interface Engine {
  /** How well an acknowledged item is kept. */
  readonly durability: "memory" | "redis" | "redis-aof";
  /** One life of the engine's memory: sequence numbers are comparable within it. */
  readonly epoch: string;
  /**
   * Appends all items or none, then wakes their readers, then answers.
   *
   * @returns the server timestamp that the items share
   * @throws WireError when an item can never fit an answer, or there is no room for another portal
   */
  append(accountId: string, items: readonly NewItem[]): MaybeAsync<number>;
  /** One page for each query, in their order; an empty one where the portal does not exist. */
  read(accountId: string, queries: readonly PortalQuery[]): MaybeAsync<readonly PortalPage[]>;
  /** The latest item of every portal, newest first. */
  latest(accountId: string): MaybeAsync<readonly StoredItem[]>;
  /** Wakes the reader at each append to any of the portals, which need not exist. @returns a function that ends it */
  subscribe(accountId: string, portalIds: readonly string[], reader: EngineReader): () => void;
  close(): MaybeAsync<void>;
}
