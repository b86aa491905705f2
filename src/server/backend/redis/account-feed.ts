import type { EngineReader, PortalPage, PortalQuery } from "../../engine/engine.js";
import { Readers } from "../../engine/readers.js";
import type { StoredItem } from "../../engine/stored-item.js";
import type { BellEntry, TouchedPortal } from "./bell-entry.js";
import type { ItemReader } from "./item-reader.js";
import { PortalWindow, type WindowLedger } from "./portal-window.js";

/** Items that one window holds at most; a line has no more. */
const WINDOW_ITEMS_MAX = 1_024;

export interface AccountFeedOptions {
  readonly accountId: string;
  readonly base: string;
  readonly items: ItemReader;
  readonly ageMsMax: number;
  readonly ledger: WindowLedger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** It begins to listen, or what it listens from has changed. */
  readonly onListen: (feed: AccountFeed) => void;
}

interface Watched {
  readonly window: PortalWindow;
  readers: number;
  /** First sequence number that the bell told of and that is not here yet. */
  due: number | undefined;
}

/**
 * What this process knows of one account while a request of it is under way: where its bell is, who waits for which
 * portals, and what is new in those. New items are fetched once, however many wait for them.
 */
export class AccountFeed {
  readonly accountId: string;
  readonly base: string;
  /** Requests under way: it is forgotten after the last. */
  requests = 0;
  /** Ordered sets that wait here for what the bell tells. */
  waitingSets = 0;
  readonly #options: AccountFeedOptions;
  readonly #readers = new Readers();
  readonly #watched = new Map<string, Watched>();
  #epoch = "";
  /** The last entry of the bell that was heard, or that came before everything which somebody waits for. */
  #heard = 0;
  /** The last entry that is known of. */
  #rung = 0;
  #isFetching = false;

  constructor(options: AccountFeedOptions) {
    this.#options = options;
    this.accountId = options.accountId;
    this.base = options.base;
  }

  get heard(): number {
    return this.#heard;
  }

  get isListening(): boolean {
    return this.#watched.size > 0 || this.waitingSets > 0;
  }

  /** A request entered when the bell stood here: what is read from now on has all that was set up to then. */
  observe(epoch: string, rung: number): void {
    const isNewLife = epoch !== this.#epoch || rung < this.#rung;
    this.#epoch = epoch;
    this.#rung = rung;
    if (!isNewLife && this.isListening) return;
    this.#heard = rung;
    if (!isNewLife || !this.isListening) return;
    for (const { window } of this.#watched.values()) window.clear();
    this.#options.onListen(this);
  }

  /** Wakes the reader at what is set to these portals from now on. @returns a function that ends it */
  subscribe(portalIds: readonly string[], reader: EngineReader): () => void {
    const isFirst = !this.isListening;
    const remove = this.#readers.add(portalIds, reader);
    for (const portalId of portalIds) this.#watch(portalId);
    if (isFirst) this.listen();
    return () => {
      remove();
      for (const portalId of portalIds) this.#unwatch(portalId);
    };
  }

  /** Somebody begins to wait for what the bell tells. */
  listen(): void {
    this.#options.onListen(this);
  }

  /** The pages of these queries, if all that they may ask for is here; as views. */
  pages(queries: readonly PortalQuery[]): readonly PortalPage[] | undefined {
    const isCurrent = this.#heard >= this.#rung;
    const windows: PortalWindow[] = [];
    for (const { portalId, afterSequence, isFirst } of queries) {
      const window = this.#watched.get(portalId)?.window;
      // What was acknowledged before a get began has to be in its first line, whoever set it.
      if (window === undefined || (isFirst && !isCurrent)) return undefined;
      if (!window.covers(afterSequence)) return undefined;
      windows.push(window);
    }
    const now = this.#options.now();
    return queries.map((query, index) => (windows[index] as PortalWindow).page(query, now));
  }

  /** What was read in Redis shows where the portals are. */
  learn(pages: readonly PortalPage[]): void {
    for (const { portalId, newestSequence } of pages) {
      this.#watched.get(portalId)?.window.begin(newestSequence);
    }
  }

  /** Items that a set of this process stored: they need not be fetched where nothing lies between. */
  stored(items: readonly StoredItem[]): void {
    const portalIds = new Set<string>();
    for (const item of items) {
      const window = this.#watched.get(item.portalId)?.window;
      if (window === undefined) continue;
      if (window.newest !== undefined && window.newest !== item.sequence - 1) continue;
      window.push(item);
      portalIds.add(item.portalId);
    }
    if (portalIds.size > 0) this.#readers.wake([...portalIds]);
  }

  /** The bell rang. @returns whether entries before this one were missed */
  hear(entry: BellEntry): boolean {
    const isMissed = entry.number !== this.#heard + 1;
    this.#heard = entry.number;
    this.#rung = Math.max(this.#rung, entry.number);
    if (isMissed) this.lookAgain();
    for (const portal of entry.portals) this.#touch(portal);
    this.#fetch();
    return isMissed;
  }

  /** Nobody knows what was missed: whoever waits looks for himself. */
  lookAgain(): void {
    const portalIds = [...this.#watched.keys()];
    for (const { window } of this.#watched.values()) window.clear();
    if (portalIds.length > 0) this.#readers.wake(portalIds);
  }

  #touch({ portalId, first, last }: TouchedPortal): void {
    const watched = this.#watched.get(portalId);
    if (watched === undefined || (watched.window.newest ?? 0) >= last) return;
    watched.due ??= first;
  }

  #fetch(): void {
    if (this.#isFetching) return;
    const queries: PortalQuery[] = [];
    for (const [portalId, watched] of this.#watched) {
      if (watched.due === undefined) continue;
      const afterSequence = watched.window.newest ?? watched.due - 1;
      watched.due = undefined;
      queries.push({ portalId, afterSequence, ...ALL_OF_IT });
    }
    if (queries.length === 0) return;
    this.#isFetching = true;
    const { items, base } = this.#options;
    items.read(base, queries).then(
      (pages) => this.#fetched(pages),
      () => this.#notFetched(),
    );
  }

  #fetched(pages: readonly PortalPage[]): void {
    this.#isFetching = false;
    const portalIds: string[] = [];
    for (const page of pages) {
      const watched = this.#watched.get(page.portalId);
      if (watched === undefined) continue;
      const { window } = watched;
      for (let index = 0; index < page.length; index += 1) {
        const item = page.at(index);
        if (item.sequence > (window.newest ?? 0)) window.push(item);
      }
      if (page.length > 0) portalIds.push(page.portalId);
      window.begin(page.newestSequence);
      const { newest = 0 } = window;
      // A line's worth was read, and there is more.
      if (page.length > 0 && newest < page.newestSequence) watched.due = newest + 1;
    }
    if (portalIds.length > 0) this.#readers.wake(portalIds);
    this.#fetch();
  }

  /** Who waits finds out for himself, and answers for it. */
  #notFetched(): void {
    this.#isFetching = false;
    for (const watched of this.#watched.values()) watched.due = undefined;
    this.lookAgain();
  }

  #watch(portalId: string): void {
    const watched = this.#watched.get(portalId);
    if (watched !== undefined) {
      watched.readers += 1;
      return;
    }
    const { ageMsMax, ledger } = this.#options;
    const window = new PortalWindow({ itemsMax: WINDOW_ITEMS_MAX, ageMsMax, ledger });
    this.#watched.set(portalId, { window, readers: 1, due: undefined });
  }

  #unwatch(portalId: string): void {
    const watched = this.#watched.get(portalId);
    if (watched === undefined) return;
    watched.readers -= 1;
    if (watched.readers > 0) return;
    watched.window.clear();
    this.#watched.delete(portalId);
  }
}

const ALL_OF_IT = {
  fromTimestamp: undefined,
  cutoffMs: -1,
  schedule: "FIFO",
  isFirst: false,
} as const;
