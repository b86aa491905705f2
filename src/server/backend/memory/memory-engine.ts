import type { Cancel, Clock } from "../../../primitives/clock.js";
import { encodeReceivedItem } from "../../../protocol/codec.js";
import type { NewItem } from "../../../protocol/item.js";
import type { Limits } from "../../../protocol/limits.js";
import { systemError } from "../../wire-error.js";
import { AccountSpace } from "./account-space.js";
import { checkFits, portalIdsOf } from "../../engine/new-items.js";
import { emptyPage } from "../../engine/empty-page.js";
import type { Engine, EngineReader, PortalPage, PortalQuery } from "../../engine/engine.js";
import { costOf, type StorageLedger } from "./portal.js";
import type { StoredItem } from "../../engine/stored-item.js";

/** How often portals that nobody touches are looked at for items that are too old, in ms. */
const SWEEP_MS = 60_000;

export interface MemoryEngineOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly epoch: string;
  /** Whether items bear their sequence number on the wire. */
  readonly withSequence: boolean;
  /** Bytes of all items together, estimated. */
  readonly storedBytesMax: number;
}

/** Portals in this process's memory: gone with it. */
export class MemoryEngine implements Engine {
  /** One life of this memory: sequence numbers are comparable within it. */
  readonly epoch: string;
  readonly #options: MemoryEngineOptions;
  readonly #spaces = new Map<string, AccountSpace>();
  readonly #ledger: StorageLedger = { bytes: 0, itemsOverrun: 0 };
  #cancelSweep: Cancel | undefined;

  constructor(options: MemoryEngineOptions) {
    this.#options = options;
    this.epoch = options.epoch;
  }

  /** Items that full rings let go of before their time. */
  get itemsOverrun(): number {
    return this.#ledger.itemsOverrun;
  }

  /**
   * Appends all items or none, then wakes their readers.
   *
   * @returns the server timestamp that the items share
   * @throws WireError when an item can never fit an answer, or there is no room for another portal or for the items
   */
  append(accountId: string, items: readonly NewItem[]): number {
    const { clock, limits, withSequence } = this.#options;
    const space = this.#space(accountId);
    const portalIds = portalIdsOf(items);
    for (const item of items) checkFits(item, limits.lineBytesMax, withSequence);
    space.checkRoom(portalIds, clock.now());
    this.#checkStorage(space, portalIds, items);
    let serverTimestamp = Math.floor(clock.wallNow());
    for (const portalId of portalIds) {
      serverTimestamp = Math.max(serverTimestamp, space.newestTimestampOf(portalId));
    }
    const firstOrder = space.nextOrder();
    for (const item of items) this.#store(space, item, serverTimestamp);
    this.#makeRoom(portalIds, space, firstOrder);
    this.#cancelSweep ??= clock.schedule(SWEEP_MS, this.#sweep);
    space.readers.wake(portalIds);
    return serverTimestamp;
  }

  read(accountId: string, queries: readonly PortalQuery[]): readonly PortalPage[] {
    const space = this.#spaces.get(accountId);
    const now = this.#options.clock.now();
    return queries.map((query) => {
      const portal = space?.portals.get(query.portalId);
      if (portal === undefined) return emptyPage(query.portalId);
      portal.expire(now);
      return portal.read(query, now);
    });
  }

  latest(accountId: string): readonly StoredItem[] {
    const now = this.#options.clock.now();
    const newest: StoredItem[] = [];
    for (const portal of this.#spaces.get(accountId)?.portals.values() ?? []) {
      portal.expire(now);
      const item = portal.newest();
      if (item !== undefined) newest.push(item);
    }
    return newest.toSorted((a, b) => b.order - a.order);
  }

  subscribe(accountId: string, portalIds: readonly string[], reader: EngineReader): () => void {
    return this.#space(accountId).readers.add(portalIds, reader);
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#spaces.clear();
    this.#ledger.bytes = 0;
  }

  #space(accountId: string): AccountSpace {
    const known = this.#spaces.get(accountId);
    if (known !== undefined) return known;
    const space = new AccountSpace(this.#options.limits, this.#ledger);
    this.#spaces.set(accountId, space);
    return space;
  }

  /** The portals that are set to may give up their own oldest items, but nobody else's. */
  #checkStorage(
    space: AccountSpace,
    portalIds: readonly string[],
    items: readonly NewItem[],
  ): void {
    const { storedBytesMax } = this.#options;
    let after = this.#ledger.bytes;
    for (const item of items) after += costOf(item.payload.length);
    if (after <= storedBytesMax) return;
    const own = portalIds.reduce((sum, id) => sum + (space.portals.get(id)?.cost ?? 0), 0);
    if (after - own <= storedBytesMax) return;
    throw systemError(503, "the server's memory for items is full", SWEEP_MS);
  }

  #store(space: AccountSpace, item: NewItem, serverTimestamp: number): void {
    const { withSequence, clock } = this.#options;
    const { portalId, payload } = item;
    const portal = space.portal(portalId);
    const seq = portal.newestSequence + 1;
    const encoded = encodeReceivedItem({ portalId, payload, serverTimestamp, seq }, withSequence);
    portal.append({
      portalId,
      sequence: seq,
      order: space.nextOrder(),
      serverTimestamp,
      storedAtMs: clock.now(),
      encoded,
      bytes: Buffer.byteLength(encoded),
    });
  }

  #makeRoom(portalIds: readonly string[], space: AccountSpace, firstOrder: number): void {
    if (this.#ledger.bytes <= this.#options.storedBytesMax) return;
    for (const portalId of portalIds) {
      const portal = space.portal(portalId);
      while (
        this.#ledger.bytes > this.#options.storedBytesMax &&
        (portal.oldest()?.order ?? Number.POSITIVE_INFINITY) < firstOrder
      ) {
        portal.dropOldest();
        this.#ledger.itemsOverrun += 1;
      }
    }
  }

  readonly #sweep = (): void => {
    const { clock } = this.#options;
    this.#cancelSweep = undefined;
    for (const space of this.#spaces.values()) {
      space.expire(clock.now());
      if (space.portals.size > 0) this.#cancelSweep ??= clock.schedule(SWEEP_MS, this.#sweep);
    }
  };
}
