import type { Item, RequestedPortal, Schedule } from "../protocol/item.js";
import type { ClientStatus } from "../status.js";
import { PortalReader, type Gap, type ItemPlace, type TurnFacts } from "./portal-reader.js";
import type { Tap } from "./portal.js";

/** An item that waits to be taken. */
export interface Arrival {
  readonly item: Item;
  /** How-manieth of all that came. */
  readonly order: number;
  /** The server's clock when it was taken from a stream, in UNIX ms; undefined for what was asked for. */
  readonly serverNow?: number | undefined;
}

interface Tuning {
  readonly schedule: Schedule;
  readonly cutoffMs: number;
}

/** Items of a portal that wait for a get: more than a ring of the hosted service is taken to hold. */
const READY_MAX = 1_000;
/** Characters of their payloads in all. */
const READY_LENGTH_MAX = 4_000_000;
const PRESENT = { isPresent: true, repeats: false } as const;

/**
 * How far somebody who gets a portal now and then has got, and what came for him since: from his own requests, and from
 * a stream that others read. Pure.
 */
export class Place implements Tap {
  readonly portalId: string;
  readonly #reader: PortalReader;
  readonly #nextOrder: () => number;
  readonly #waiting = new Set<() => void>();
  #tuning: Tuning;
  #ready: Arrival[] = [];
  #readyLength = 0;
  /** Items that had to make room for newer ones, since the last were taken. */
  #droppedCount = 0;
  #login: TurnFacts | undefined;
  #status: ClientStatus = { kind: "idle" };
  /** Whether the present request asks from a time on, which brings again what is known. */
  #isReplay = false;
  /** What was looked up, and so taken before what stands in front of it; until an item of another time has come. */
  #ahead: Item | undefined;
  /** Whether the stream has come past that. */
  #isPast = true;
  /** Items of the same time as that, of which it shows later on which side of it they stand. */
  #held: Item[] = [];
  #turnsBefore = 0;
  #untap: (() => void) | undefined;
  #turns = 0;
  #isLookedUp = false;

  constructor(portalId: string, tuning: Tuning, nextOrder: () => number) {
    this.portalId = portalId;
    this.#tuning = tuning;
    this.#nextOrder = nextOrder;
    this.#reader = new PortalReader(portalId, { kind: "since", serverTimestamp: 1 }, tuning);
  }

  /** Items that wait to be taken. */
  get count(): number {
    return this.#ready.length + this.#held.length;
  }

  /** Whether a stream brings what there is, but not what was there before. */
  get needsLookup(): boolean {
    return this.#untap !== undefined && !this.#isLookedUp;
  }

  /** Requests of the stream that brought all that there was. */
  get turns(): number {
    return this.#turns;
  }

  /** How the stream stands that brings the items; undefined without one. */
  get status(): ClientStatus | undefined {
    return this.#untap === undefined ? undefined : this.#status;
  }

  /** Sees from now on what a stream brings. */
  follow(tap: (tap: Tap) => () => void): void {
    if (this.#untap !== undefined) return;
    this.#isLookedUp = false;
    this.#untap = tap(this);
  }

  /** Sees it no more. */
  leave(): void {
    this.#untap?.();
    this.ended();
  }

  /** What is newest in the portal, looked up without moving anybody's position; undefined when it is empty. */
  lookedUp(login: TurnFacts, newest: Item | undefined): void {
    this.#isLookedUp = true;
    this.#login = login;
    this.#reader.turnStarted(login, true);
    if (newest !== undefined && this.#admit(newest)) {
      this.#ahead = newest;
      this.#isPast = false;
      this.#turnsBefore = this.#turns;
    }
    this.#reader.turnEnded(true, PRESENT);
  }

  // -- what a stream brings

  started(login: TurnFacts): void {
    const { generation, epoch } = this.#login ?? {};
    this.#login = login;
    if (login.generation === generation && login.epoch === epoch) return;
    if (login.epoch !== epoch) this.#forgetAhead();
    this.#reader.turnStarted(login);
    this.#reader.turnEnded(true, PRESENT);
  }

  came(item: Item): void {
    const ahead = this.#ahead;
    if (ahead !== undefined && !this.#isPast) {
      if (isSame(item, ahead)) {
        // What is held stood in front of it.
        this.#held = [];
        this.#isPast = true;
        return;
      }
      if (isOlder(item, ahead)) return;
      if (item.serverTimestamp === ahead.serverTimestamp && item.seq === undefined) {
        this.#held.push(item);
        this.#wake();
        return;
      }
      this.#pass();
    }
    this.#admit(item, this.#login?.serverNow?.());
  }

  turned(): void {
    this.#turns += 1;
    // A request that was under way may have ended just before it; the next one would have brought it.
    if (this.#turns > this.#turnsBefore + 1) this.#pass();
    this.#wake();
  }

  report(status: ClientStatus): void {
    this.#status = status;
    if (status.kind === "waiting" || status.kind === "refused") this.#wake();
  }

  ended(): void {
    this.#untap = undefined;
    this.#wake();
  }

  // -- what is asked for

  /** The session's position of the portal is not known to be ours: it is asked for from a time on. */
  distrust(): void {
    this.#reader.turnEnded(false, { isPresent: false, repeats: false });
  }

  /** From now on the portal is asked for in this way. */
  retune(tuning: Tuning): void {
    const { schedule, cutoffMs } = this.#tuning;
    if (tuning.schedule === schedule && tuning.cutoffMs === cutoffMs) return;
    this.#tuning = tuning;
    this.#reader.retune(tuning);
  }

  request(login: TurnFacts): RequestedPortal {
    const { portalId } = this;
    this.#isReplay = this.#reader.needsReference(login);
    if (!this.#isReplay) return { portalId };
    return { portalId, serverTimestamp: this.#reader.reference(login) };
  }

  /**
   * A whole answer came.
   *
   * @param items - those of this portal, oldest first
   * @param isPresent - there was nothing more
   * @returns how many of them were new
   */
  answered(login: TurnFacts, items: readonly Item[], isPresent: boolean): number {
    if (login.epoch !== this.#login?.epoch) this.#forgetAhead();
    this.#login = login;
    this.#reader.turnStarted(login, this.#isReplay);
    // What stands in front of something that was taken already would come out of order.
    const ahead = this.#ahead;
    const from = ahead === undefined ? 0 : items.findLastIndex((item) => isSame(item, ahead));
    const fresh = items.filter((item, at) => at >= from && this.#admit(item)).length;
    this.#reader.turnEnded(true, { isPresent, repeats: fresh < items.length });
    return fresh;
  }

  // -- what is taken

  /** What had to make room since the last were taken: to be asked for before the rest is taken. */
  takeGap(): Gap | undefined {
    this.#flush();
    const missing = this.#droppedCount;
    const [first] = this.#ready;
    if (missing === 0 || first === undefined) return undefined;
    this.#droppedCount = 0;
    return { portalId: this.portalId, reason: "queue", missing, after: placeOf(first.item) };
  }

  /** All that waits, in the order in which it came. */
  take(): readonly Arrival[] {
    this.#flush();
    const taken = this.#ready;
    this.#ready = [];
    this.#readyLength = 0;
    return taken;
  }

  /** Calls back when something came, or a request of the stream ended, or the stream did. @returns a function that ends this */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  }

  /** The stream has come past what was looked up: it was there before anybody saw what the stream brings. */
  #pass(): void {
    this.#isPast = true;
    this.#flush();
  }

  #forgetAhead(): void {
    this.#pass();
    this.#ahead = undefined;
  }

  #flush(): void {
    for (const item of this.#held.splice(0)) this.#admit(item, this.#login?.serverNow?.());
  }

  #admit(item: Item, serverNow?: number): boolean {
    let acceptance = this.#reader.accept(item);
    // A get asks once; what is missing before this one was overwritten, or comes by no other way.
    if (acceptance.kind === "reread") acceptance = this.#reader.accept(item);
    if (acceptance.kind !== "new") return false;
    if (item.serverTimestamp !== this.#ahead?.serverTimestamp) this.#ahead = undefined;
    this.#ready.push({ item, order: this.#nextOrder(), serverNow });
    this.#readyLength += item.payload.length;
    while (this.#ready.length > READY_MAX || this.#readyLength > READY_LENGTH_MAX) {
      // The newest stays, whatever its size.
      if (this.#ready.length === 1) break;
      this.#readyLength -= this.#ready.shift()?.item.payload.length ?? 0;
      this.#droppedCount += 1;
    }
    this.#wake();
    return true;
  }

  #wake(): void {
    for (const callback of [...this.#waiting]) callback();
  }
}

const placeOf = ({ serverTimestamp, seq }: Item): ItemPlace =>
  seq === undefined ? { serverTimestamp } : { serverTimestamp, seq };

const isSame = (item: Item, other: Item): boolean =>
  item.seq === other.seq &&
  item.serverTimestamp === other.serverTimestamp &&
  item.payload === other.payload;

const isOlder = (item: Item, other: Item): boolean =>
  item.seq === undefined || other.seq === undefined
    ? item.serverTimestamp < other.serverTimestamp
    : item.seq < other.seq;
