import type { MaybeAsync } from "../../primitives/maybe-async.js";
import type { Schedule } from "../../protocol/item.js";
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
  /** Which end the reader begins at: a page may leave out what lies further on than a line reaches. */
  readonly schedule: Schedule;
  /** Nothing was read for this get before: what was acknowledged before it began has to be there. */
  readonly isFirst: boolean;
}

/**
 * Items of one portal, oldest first. One that came at once may be a view and not a copy, good until the engine is called
 * again; one that came through a promise stays as it is.
 */
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
  /** Called once for each append that touched any of its portals, with those that it touched; others do no harm. */
  wake(portalIds: readonly string[]): void;
}

/**
 * Storage behind the server, as those who read from it see it. An engine that has its data at hand answers at once and not through a promise: a turn of
 * the event loop for each set and each reader would be the greater part of their cost.
 */
export interface Engine {
  /** One page for each query, in their order; an empty one where the portal does not exist. */
  read(accountId: string, queries: readonly PortalQuery[]): MaybeAsync<readonly PortalPage[]>;
  /** The latest item of every portal, newest first. */
  latest(accountId: string): MaybeAsync<readonly StoredItem[]>;
  /**
   * Wakes the reader at each append to any of the portals, which need not exist: at every one that a read begun before
   * this call might not have seen. To wake it for nothing is harmless; when the engine cannot serve, it wakes all, and
   * their reads fail. Takes effect in this very call. @returns a function that ends it; calling it twice is harmless
   */
  subscribe(accountId: string, portalIds: readonly string[], reader: EngineReader): () => void;
}
