import { type XrtcError } from "../errors.js";
import { Broadcast } from "../primitives/broadcast.js";
import type { Item, Mode, Schedule } from "../protocol/item.js";
import { sameStatus, type ClientStatus } from "../status.js";
import type { Gap } from "./portal-reader.js";

/** Where reading starts: with what comes from now on, with everything that is there, or at a time in UNIX ms. */
export type Start = "new" | "all" | { readonly since: number };

/** What a subscriber asked for. */
export interface Wish {
  readonly portals: readonly string[];
  readonly mode: Mode;
  readonly schedule: Schedule;
  readonly cutoffMs: number;
  /** For the mode `probe`: milliseconds from one to the next. */
  readonly probeMs?: number | undefined;
  readonly start: Start;
  /** Items that may wait for the subscriber before reading stops; one answer line may go beyond it. */
  readonly queueItemsMax: number;
}

export interface MemberCallbacks {
  /** An item that came and could not be read; its neighbours are delivered. */
  readonly onMalformed?: (error: XrtcError) => void;
  /** Items are missing, or may be. */
  readonly onGap?: (gap: Gap) => void;
}

/** The hub's end of a subscription: its place, its queue, and whoever takes from it. */
export class Member {
  readonly wish: Wish;
  readonly status = new Broadcast<ClientStatus>({ kind: "idle" });
  callbacks: MemberCallbacks = {};
  #queue: Item[] = [];
  #head = 0;
  #taker: ((item: Item | undefined) => void) | undefined;
  #room: (() => void)[] = [];
  #ended = false;
  #parked = false;
  #missed = 0;
  /** How reading stands for each of the portals: one that is not read yet keeps the whole from being connected. */
  readonly #standing = new Map<string, ClientStatus>();
  /** Gaps that came while nobody was there to be told. */
  #untold = new Map<string, Gap>();

  constructor(wish: Wish) {
    this.wish = wish;
    for (const portalId of wish.portals) this.#standing.set(portalId, { kind: "idle" });
  }

  get queued(): number {
    return this.#queue.length - this.#head;
  }

  get isFull(): boolean {
    return !this.#ended && !this.#parked && this.queued >= this.wish.queueItemsMax;
  }

  push(item: Item): void {
    if (this.#ended) return;
    const taker = this.#taker;
    if (taker !== undefined) {
      this.#taker = undefined;
      taker(item);
      return;
    }
    // Nobody may come back to a parked queue, so it must not hold up the others.
    if (this.#parked && this.queued >= this.wish.queueItemsMax) {
      this.#shift();
      this.#missed += 1;
    }
    this.#queue.push(item);
  }

  /** The next item; undefined when the subscription has ended. */
  take(): Promise<Item | undefined> {
    if (this.queued > 0) {
      const item = this.wish.schedule === "LIFO" ? this.#queue.pop() : this.#shift();
      if (this.queued < this.wish.queueItemsMax) this.#makeRoom();
      return Promise.resolve(item);
    }
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#taker = resolve;
    });
  }

  /** Resolves when the queue has room, or nobody needs it any more. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isFull) this.#room.push(resolve);
      else resolve();
    });
  }

  /** How reading stands for one of its portals. */
  report(portalId: string, status: ClientStatus): void {
    if (this.#ended) return;
    this.#standing.set(portalId, status);
    const whole = worstOf(this.#standing.values());
    if (!sameStatus(this.status.value, whole)) this.status.set(whole);
  }

  /** Items are missing, or may be. */
  tell(gap: Gap): void {
    if (!this.#parked) {
      this.callbacks.onGap?.(gap);
      return;
    }
    // Several of one portal become one that spans them.
    const known = this.#untold.get(gap.portalId);
    const { before } = known ?? gap;
    const { portalId, after } = gap;
    this.#untold.set(
      portalId,
      known === undefined
        ? gap
        : {
            portalId,
            reason: "possible",
            ...(before === undefined ? {} : { before }),
            ...(after === undefined ? {} : { after }),
          },
    );
  }

  /** The subscriber leaves; its place is kept. */
  park(): void {
    this.#parked = true;
    this.callbacks = {};
    this.#release();
  }

  /** A subscriber comes back to the place. */
  unpark(callbacks: MemberCallbacks): void {
    this.#parked = false;
    this.callbacks = callbacks;
    const missing = this.#missed;
    const untold = this.#untold;
    this.#missed = 0;
    this.#untold = new Map();
    if (missing > 0) {
      for (const portalId of this.#standing.keys()) {
        callbacks.onGap?.({ portalId, reason: "queue", missing });
      }
    }
    for (const gap of untold.values()) callbacks.onGap?.(gap);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#head = 0;
    this.#release();
    this.status.set({ kind: "closed" });
  }

  /** Nobody waits in vain: neither the one who takes, nor the one who waits for room. */
  #release(): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.(undefined);
    this.#makeRoom();
  }

  #makeRoom(): void {
    const waiting = this.#room;
    if (waiting.length === 0) return;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }

  #shift(): Item | undefined {
    const item = this.#queue[this.#head];
    this.#head += 1;
    // Moving the rest down for each item would make a long queue dear.
    if (this.#head >= 1_024 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

const SEVERITY = {
  connected: 0,
  idle: 1,
  connecting: 2,
  waiting: 3,
  refused: 4,
  closed: 5,
} as const;

function worstOf(statuses: Iterable<ClientStatus>): ClientStatus {
  let worst: ClientStatus | undefined;
  for (const status of statuses) {
    if (worst === undefined || SEVERITY[status.kind] > SEVERITY[worst.kind]) worst = status;
  }
  return worst ?? { kind: "idle" };
}
