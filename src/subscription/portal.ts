import type { XrtcError } from "../errors.js";
import type { Item, RequestedPortal } from "../protocol/item.js";
import type { ClientStatus } from "../status.js";
import type { Member, Start } from "./member.js";
import {
  PortalReader,
  type Acceptance,
  type Gap,
  type StartPlace,
  type TurnFacts,
} from "./portal-reader.js";
import type { Reading } from "./plan.js";

interface CatchUp {
  /** Undefined until it is known where its member starts. */
  reader: PortalReader | undefined;
  /** Whether a request was made for its sake; until then its member waits for that. */
  asked: boolean;
}

/** How a turn ended for one of its portals. */
export interface TurnEnd {
  /** It did so as it should. */
  readonly whole: boolean;
  /** All came that there is. */
  readonly isPresent: boolean;
  /** It brought again what was delivered, of any portal. */
  readonly repeats: boolean;
}

/** Somebody who sees what comes for a portal without being one of its readers: nothing is asked for his sake. */
export interface Tap {
  /** What follows comes under that login. */
  started(login: TurnFacts): void;
  came(item: Item): void;
  /** A request brought what there was. */
  turned(): void;
  /** How reading stands. */
  report(status: ClientStatus): void;
  /** Nobody reads the portal any more. */
  ended(): void;
}

/** One portal that is read once for all its members. */
export class Portal {
  readonly portalId: string;
  readonly members = new Set<Member>();
  #reading: Reading;
  #reader: PortalReader | undefined;
  /** Whether the shared reader has come to the present: who joins then needs no place of its own to begin now. */
  #isLive = false;
  /** Whether the present turn brought anything again that somebody has. */
  #sawRepeat = false;
  /** Members that start elsewhere than the shared reader is, and how far they have got. */
  readonly #catchingUp = new Map<Member, CatchUp>();
  readonly #taps = new Set<Tap>();
  #login: TurnFacts | undefined;
  #status: ClientStatus = { kind: "idle" };
  /** Whether the present request asks for items from a time on, which may have been delivered. */
  #isReplay = false;
  #tuning = 0;

  constructor(portalId: string, reading: Reading) {
    this.portalId = portalId;
    this.#reading = reading;
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** Whether a place in the present has to be found for somebody before the portal is asked for. */
  get needsPlace(): boolean {
    if (this.#reader === undefined) return true;
    return [...this.#catchingUp.values()].some(({ reader }) => reader === undefined);
  }

  /** Starts those who want only what is new. */
  place(start: StartPlace): void {
    this.#reader ??= this.#newReader(start);
    for (const catchUp of this.#catchingUp.values()) catchUp.reader ??= this.#newReader(start);
  }

  /** Changes whenever what is read of the portal does: an answer that was asked for before is of no use then. */
  get tuning(): number {
    return this.#tuning;
  }

  retune(reading: Reading): void {
    const { schedule, cutoffMs } = this.#reading;
    this.#reading = reading;
    // In another mode the same items come, in the same order.
    if (reading.schedule === schedule && reading.cutoffMs === cutoffMs) return;
    this.#tuning += 1;
    this.#reader?.retune(reading);
    for (const { reader } of this.#catchingUp.values()) reader?.retune(reading);
  }

  /** Reading is about to begin; it says so only the first time. */
  begin(): void {
    if (this.#status.kind === "idle") this.report({ kind: "connecting" });
    if (this.#reader !== undefined || this.#wantNew()) return;
    // Nobody needs to know where the present is: the one who goes back farthest leads.
    const starts = [...this.members].map(({ wish }) => sinceOf(wish.start));
    const first = Math.min(...starts);
    this.#reader = this.#newReader({ kind: "since", serverTimestamp: first });
    for (const member of this.members) {
      if (sinceOf(member.wish.start) === first) this.#catchingUp.delete(member);
    }
  }

  /** @returns whether the server has to be asked again for the member's sake */
  join(member: Member): boolean {
    this.members.add(member);
    const { start } = member.wish;
    if (start === "new" && (this.#isLive || this.#reader === undefined)) {
      member.report(this.portalId, this.#status);
      return this.#reader === undefined;
    }
    const place: StartPlace = { kind: "since", serverTimestamp: sinceOf(start) };
    const reader = start === "new" ? undefined : this.#newReader(place);
    this.#catchingUp.set(member, { reader, asked: false });
    return true;
  }

  leave(member: Member): void {
    this.members.delete(member);
    this.#catchingUp.delete(member);
  }

  /** @returns a function that ends it */
  tap(tap: Tap): () => void {
    this.#taps.add(tap);
    if (this.#login !== undefined) tap.started(this.#login);
    tap.report(this.#status);
    return () => void this.#taps.delete(tap);
  }

  /** Nobody reads the portal any more. */
  end(): void {
    for (const tap of this.#taps) tap.ended();
    this.#taps.clear();
  }

  request(login: TurnFacts): RequestedPortal {
    for (const catchUp of this.#catchingUp.values()) catchUp.asked = catchUp.reader !== undefined;
    const readers = [...this.#asked()];
    const { portalId } = this;
    this.#isReplay = readers.some((reader) => reader.needsReference(login));
    if (!this.#isReplay) return { portalId };
    // It moves the position for all of them: the earliest of what they need; the others drop what they have.
    const references = readers.map((reader) => reader.reference(login));
    return { portalId, serverTimestamp: Math.min(...references) };
  }

  /** @param isShared - a request that was given up may take some of what there is */
  turnStarted(login: TurnFacts, isShared: boolean): void {
    this.#sawRepeat = false;
    this.#login = login;
    for (const tap of this.#taps) tap.started(login);
    for (const reader of this.#asked()) {
      this.#tell(reader, reader.turnStarted(login, this.#isReplay, isShared));
    }
  }

  /** Whether the present turn has brought anything again. */
  get sawRepeat(): boolean {
    return this.#sawRepeat;
  }

  turnEnded({ whole, isPresent, repeats }: TurnEnd): void {
    if (whole) for (const tap of this.#taps) tap.turned();
    for (const reader of this.#asked()) {
      reader.turnEnded(whole, { isPresent, repeats });
      if (isPresent) this.#tell(reader, reader.reachedPresent());
    }
    if (!isPresent) return;
    this.#isLive = true;
    for (const [member, { asked }] of this.#catchingUp) {
      if (asked) this.#catchingUp.delete(member);
    }
  }

  deliver(item: Item): "new" | "repeat" | "reread" {
    let summary: Acceptance["kind"] = "repeat";
    for (const reader of this.#asked()) {
      const acceptance = reader.accept(item);
      if (acceptance.kind === "reread") return "reread";
      if (acceptance.kind === "repeat") {
        this.#sawRepeat = true;
        continue;
      }
      summary = "new";
      this.#tell(reader, acceptance.gap);
      const served = this.#catchingUp.size === 0 ? this.members : this.#servedBy(reader);
      for (const member of served) member.push(item);
      if (reader === this.#reader) for (const tap of this.#taps) tap.came(item);
    }
    return summary;
  }

  malformed(error: XrtcError): void {
    for (const member of this.members) member.callbacks.onMalformed?.(error);
  }

  report(status: ClientStatus): void {
    this.#status = status;
    for (const tap of this.#taps) tap.report(status);
    for (const member of this.members) {
      // For whose sake nothing was asked yet, what is set now may come before its start.
      const waits = status.kind === "connected" && this.#catchingUp.get(member)?.asked === false;
      member.report(this.portalId, waits ? { kind: "connecting" } : status);
    }
  }

  fullMember(): Member | undefined {
    for (const member of this.members) if (member.isFull) return member;
    return undefined;
  }

  /** Those for whose sake the present request was made. */
  *#asked(): Generator<PortalReader> {
    if (this.#reader !== undefined) yield this.#reader;
    for (const { reader, asked } of this.#catchingUp.values()) {
      if (asked && reader !== undefined) yield reader;
    }
  }

  #newReader(start: StartPlace): PortalReader {
    return new PortalReader(this.portalId, start, this.#reading);
  }

  #wantNew(): boolean {
    return [...this.members].some(({ wish }) => wish.start === "new");
  }

  *#servedBy(reader: PortalReader): Generator<Member> {
    for (const member of this.members) {
      const catchUp = this.#catchingUp.get(member);
      if ((catchUp === undefined ? this.#reader : catchUp.reader) === reader) yield member;
    }
  }

  #tell(reader: PortalReader, gap: Gap | undefined): void {
    if (gap === undefined) return;
    for (const member of this.#servedBy(reader)) member.tell(gap);
  }
}

/** Reference time of a start that lies in the past. */
const sinceOf = (start: Start): number =>
  typeof start === "object" ? Math.max(1, start.since) : 1;
