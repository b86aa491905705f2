/**
 * What is known of one portal while it is read: what to ask for next, whether an item is new, whether any are missing.
 * Pure: no time, no chance, no I/O.
 *
 * A portal is *suspect* when it is not certain that the session's position is where our last item was: after an answer
 * that was cut, and under a new login. It is then asked for from one millisecond before the last item (right whether
 * the service takes the reference time as inclusive or exclusive), and what is provably the same item is dropped: by
 * epoch and seq where the server gives them, else by timestamp, payload and count. Never by a timestamp alone: a step
 * of the server's clock would turn that into loss.
 */

import type { Item, Schedule } from "../protocol/item.js";
import { DeliveredHistory } from "./delivered-history.js";

/** Where an item stands in its portal. */
export interface ItemPlace {
  /** UNIX ms of the server's clock. */
  readonly serverTimestamp: number;
  readonly seq?: number;
}

/** Items that are known, or have to be feared, to be missing from a portal's delivery. */
export interface Gap {
  readonly portalId: string;
  /**
   * `overrun`: the portal's ring overwrote them, or they grew too old. `epoch`: the server lost its memory.
   * `possible`: it cannot be proven that nothing is missing. `queue`: nobody took them while their reader was away.
   */
  readonly reason: "overrun" | "epoch" | "possible" | "queue";
  /** The last item delivered before. */
  readonly before?: ItemPlace;
  /** The first item delivered after. */
  readonly after?: ItemPlace;
  /** How many are missing, where that is known. */
  readonly missing?: number;
}

/** Where reading starts: after an item that is known, or at a time. */
export type StartPlace =
  | { readonly kind: "after"; readonly place: ItemPlace; readonly epoch: string | undefined }
  | { readonly kind: "since"; readonly serverTimestamp: number }
  /** There was nothing, where items are numbered. */
  | { readonly kind: "empty" };

export type Acceptance =
  | { readonly kind: "new"; readonly gap?: Gap }
  | { readonly kind: "repeat" }
  /** Items are missing before this one that the server may still have: it must be asked again. */
  | { readonly kind: "reread" };

const NEW: Acceptance = { kind: "new" };
const REPEAT: Acceptance = { kind: "repeat" };
const REREAD: Acceptance = { kind: "reread" };

/** What a turn's login tells. */
export interface TurnFacts {
  readonly generation: number;
  readonly epoch: string | undefined;
  /** UNIX ms of the server's clock, where it is known. */
  serverNow?(): number;
}

export class PortalReader {
  readonly portalId: string;
  #inOrder = true;
  /** Only in order and without a cutoff does a missing number mean a missing item. */
  #complete = true;
  /** Where order does not tell, numbers up to this one were there before. */
  #floorSeq = 0;
  readonly #history = new DeliveredHistory();
  readonly #since: number;
  #sinceHolds = true;
  #last: ItemPlace | undefined;
  #epoch: string | undefined;
  #generation: number | undefined;
  /** The login under which it was asked for first. */
  #askedUnder: number | undefined;
  /** When that was, by the server's clock. */
  #askedAt: number | undefined;
  #suspect = true;
  /** Whether the present turn was asked by reference, so that it may bring again what was delivered. */
  #replaying = false;
  /** Whether the present replay has brought an item that belongs to us. */
  #met = false;
  /** Whether nothing can be missing after the last item: a replay has to show that it reaches back to it. */
  #proven = true;
  /** Whether there was nothing, so that the first item has to be the first of all. */
  #wasEmpty: boolean;
  /** Whether the present turn has come to the last item: what follows it there has to be the next one. */
  #isAtLast = false;
  /** The number after which items were asked for again; once for each hole. */
  #askedAgainAfter: number | undefined;
  /** Whether a request by reference has brought again what was delivered: then the service honours references. */
  #isHonoured = false;

  constructor(
    portalId: string,
    start: StartPlace,
    reading: { readonly schedule: Schedule; readonly cutoffMs: number },
  ) {
    this.portalId = portalId;
    this.#since = start.kind === "since" ? start.serverTimestamp : 1;
    this.#wasEmpty = start.kind === "empty";
    if (start.kind === "after") {
      this.#last = start.place;
      this.#epoch = start.epoch;
    }
    this.retune(reading);
  }

  /** From now on the portal is asked for in another way. */
  retune({ schedule, cutoffMs }: { readonly schedule: Schedule; readonly cutoffMs: number }): void {
    this.#inOrder = schedule === "FIFO";
    this.#complete = this.#inOrder && cutoffMs < 0;
    this.#floorSeq = this.#last?.seq ?? 0;
    this.#suspect = true;
  }

  /** Whether the session's position will not do under a login. */
  needsReference(login: TurnFacts): boolean {
    return this.#suspect || login.generation !== this.#generation;
  }

  /** The reference time (UNIX ms of the server's clock) from which nothing of ours is missed. */
  reference(login: TurnFacts): number {
    // What is set from here on is owed, even if the server loses its memory before it answers.
    this.#epoch ??= login.epoch;
    this.#askedUnder ??= login.generation;
    this.#askedAt ??= login.serverNow?.();
    const known = this.#last !== undefined && login.epoch === this.#epoch;
    const from = known ? (this.#last as ItemPlace).serverTimestamp - 1 : this.#since;
    return Math.max(1, from);
  }

  /**
   * The head of an answer came under that login.
   *
   * @param isReplay - it was asked for what was delivered already, for somebody else's sake
   * @param isShared - a request that was given up may take some of what there is
   * @returns a gap when the server has lost its memory since
   */
  turnStarted(login: TurnFacts, isReplay = false, isShared = false): Gap | undefined {
    this.#isAtLast = false;
    // The number of the first item tells whether any are missing; what can be asked for again, is.
    // Without numbers a reader that knows of none would not even know what it lacks.
    const isBlind = this.#last === undefined && !this.#isHonoured;
    if (isShared && (login.epoch !== undefined || isBlind)) this.#proven = false;
    const isKnown = this.#last !== undefined || this.#epoch !== undefined;
    const lostMemory = isKnown && login.epoch !== this.#epoch;
    const before = this.#last;
    if (lostMemory) {
      this.#askedAgainAfter = undefined;
      this.#last = undefined;
      this.#floorSeq = 0;
    }
    const isOtherSession = login.generation !== this.#generation;
    if (isReplay || this.#suspect || isOtherSession) {
      this.#replaying = true;
      this.#met = false;
      this.#history.replay();
    }
    // Where it starts, and whether the items before it are still there, only its answer shows.
    const former = this.#generation ?? this.#askedUnder ?? login.generation;
    if (isOtherSession && (this.#last !== undefined || former !== login.generation)) {
      this.#proven = false;
    }
    this.#epoch = login.epoch;
    this.#generation = login.generation;
    if (!lostMemory) return undefined;
    return { ...this.#gapAfter(before), reason: "epoch" };
  }

  /**
   * The answer ended.
   *
   * @param whole - it did so as it should
   * @param end - `isPresent`: it brought all that there is; `repeats`: it brought again what was delivered, of any
   * portal. A replay may be spread over several answers, and is over when one reached the present without a repeat.
   */
  turnEnded(
    whole: boolean,
    { isPresent, repeats }: { readonly isPresent: boolean; readonly repeats: boolean },
  ): void {
    this.#suspect = !whole;
    if (!whole) {
      this.#proven = false;
      return;
    }
    this.#sinceHolds = false;
    if (repeats || !isPresent) return;
    this.#replaying = false;
    this.#history.endReplay();
  }

  /**
   * The answer that ended brought all that there is.
   *
   * @returns a gap when it did not show that nothing is missing: no item may ever come that would
   */
  reachedPresent(): Gap | undefined {
    if (this.#last === undefined && this.#epoch !== undefined) this.#wasEmpty = true;
    if (this.#proven || !this.#complete) return undefined;
    this.#proven = true;
    // From its start on, everything came that a request by reference can bring.
    if (this.#last === undefined && (this.#isHonoured || this.#epoch !== undefined))
      return undefined;
    return { ...this.#gapAfter(this.#last), reason: "possible" };
  }

  accept(item: Item): Acceptance {
    if (this.#isBeforeStart(item) || this.#isRepeat(item) || this.#isTooLate(item)) return REPEAT;
    const gap = this.#gapBefore(item);
    if (gap === "reread") return REREAD;
    if (this.#last === undefined || this.#isLater(item, this.#last)) this.#last = placeOf(item);
    this.#isAtLast = true;
    if (item.seq === undefined || !this.#inOrder) this.#history.add(item);
    this.#proven = true;
    this.#met = true;
    return gap === undefined ? NEW : { kind: "new", gap };
  }

  /** A service that ignores the reference time brings what is older than the start. */
  #isBeforeStart(item: Item): boolean {
    const isStart = this.#last === undefined && (this.#sinceHolds || this.#replaying);
    return isStart && item.serverTimestamp < this.#since;
  }

  /**
   * An old item in a replay that was not delivered when it was its turn. Before the first repeat it is older than all
   * that we know; between repeats it was lost, and announced as missing, and would come out of order now.
   */
  #isTooLate(item: Item): boolean {
    if (item.seq !== undefined || !this.#inOrder || !this.#replaying) return false;
    const newest = Math.max(this.#since, this.#last?.serverTimestamp ?? 0);
    if (!this.#met) return item.serverTimestamp < newest;
    return item.serverTimestamp <= newest && !this.#history.hasSeenNewest;
  }

  #isLater(item: Item, last: ItemPlace): boolean {
    if (item.seq !== undefined && last.seq !== undefined) return item.seq > last.seq;
    return this.#inOrder || item.serverTimestamp >= last.serverTimestamp;
  }

  #isRepeat(item: Item): boolean {
    const last = this.#last;
    if (item.seq !== undefined && this.#inOrder) {
      if (last?.seq === undefined || item.seq > last.seq) return false;
      this.#isHonoured = true;
      this.#isAtLast ||= item.seq === last.seq;
      this.#proven ||= item.seq === last.seq;
      return true;
    }
    if (item.seq !== undefined && item.seq <= this.#floorSeq) return true;
    if (!this.#replaying || !this.#history.takeRepeat(item)) return false;
    this.#met = true;
    this.#isHonoured = true;
    this.#proven ||= item.serverTimestamp === last?.serverTimestamp;
    return true;
  }

  #gapBefore(item: Item): Gap | "reread" | undefined {
    const last = this.#last;
    if (!this.#complete) return undefined;
    const places = { ...this.#gapAfter(last), after: placeOf(item) };
    if (item.seq !== undefined && last?.seq !== undefined) {
      const missing = item.seq - last.seq - 1;
      if (missing === 0) return undefined;
      // Behind the last item nothing can be overwritten: another request took it, and the server still has it.
      const mayBeThere = !this.#replaying || this.#isAtLast;
      if (mayBeThere && this.#mayAskAgain(last.seq)) return "reread";
      return { ...places, reason: "overrun", missing };
    }
    // Where the first item is number 1, or an earlier one is known, the numbers have told.
    if (last?.seq !== undefined || item.seq === 1) return undefined;
    // The first that is seen of a portal that was empty: others came before it, or grew too old long ago.
    const isNew = this.#wasEmpty || item.serverTimestamp > (this.#askedAt ?? Infinity);
    const isLate = item.seq !== undefined && last === undefined && isNew;
    if (this.#proven && !isLate) return undefined;
    if (item.seq !== undefined && last === undefined && this.#mayAskAgain(0)) return "reread";
    return { ...places, reason: "possible" };
  }

  #mayAskAgain(after: number): boolean {
    if (this.#askedAgainAfter === after) return false;
    this.#askedAgainAfter = after;
    return true;
  }

  #gapAfter(before: ItemPlace | undefined): Pick<Gap, "portalId" | "before"> {
    return { portalId: this.portalId, ...(before === undefined ? {} : { before }) };
  }
}

const placeOf = ({ serverTimestamp, seq }: Item): ItemPlace =>
  seq === undefined ? { serverTimestamp } : { serverTimestamp, seq };
