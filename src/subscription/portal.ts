import type { XrtcError } from "../errors.js";
import type { Item, RequestedPortal } from "../protocol/item.js";
import type { ClientStatus } from "../status.js";
import type { Member } from "./member.js";
import { PortalReader, type Gap, type StartPlace, type TurnFacts } from "./portal-reader.js";
import type { Reading } from "./plan.js";

interface CatchUp {
  readonly reader: PortalReader;
  /** Whether a request was made for its sake; until then its member waits for that. */
  asked: boolean;
}

/** One portal that is read once for all its members. */
export class Portal {
  readonly portalId: string;
  readonly members = new Set<Member>();
  #reading: Reading;
  #reader: PortalReader | undefined;
  /** Members that want what was there before they came, and how far they have got with it. */
  readonly #catchingUp = new Map<Member, CatchUp>();
  #status: ClientStatus = { kind: "idle" };

  constructor(portalId: string, reading: Reading) {
    this.portalId = portalId;
    this.#reading = reading;
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** Whether it is known where reading starts. */
  get isPlaced(): boolean {
    return this.#reader !== undefined;
  }

  place(start: StartPlace): void {
    this.#reader ??= new PortalReader(this.portalId, start, this.#reading);
  }

  retune(reading: Reading): void {
    this.#reading = reading;
    this.#reader?.retune(reading);
  }

  /** Reading is about to begin; it says so only the first time. */
  begin(): void {
    if (this.#status.kind === "idle") this.report({ kind: "connecting" });
  }

  /** @returns whether the server has to be asked again for the member's sake */
  join(member: Member): boolean {
    const wasEmpty = this.members.size === 0;
    this.members.add(member);
    member.report(this.#status);
    const { start } = member.wish;
    if (start === "new") return wasEmpty;
    const place: StartPlace = { kind: "since", serverTimestamp: start === "all" ? 1 : start.since };
    if (this.#reader === undefined) this.place(place);
    else {
      const reader = new PortalReader(this.portalId, place, this.#reading);
      this.#catchingUp.set(member, { reader, asked: false });
    }
    return true;
  }

  leave(member: Member): void {
    this.members.delete(member);
    this.#catchingUp.delete(member);
  }

  request(login: TurnFacts): RequestedPortal {
    for (const catchUp of this.#catchingUp.values()) catchUp.asked = true;
    const requests = [...this.#asked()].map((reader) => reader.request(login));
    // The earliest of what they need; the others drop what they have.
    const references = requests.flatMap(({ serverTimestamp }) => serverTimestamp ?? []);
    if (references.length === 0) return { portalId: this.portalId };
    return { portalId: this.portalId, serverTimestamp: Math.min(...references) };
  }

  turnStarted(login: TurnFacts): void {
    for (const reader of this.#asked()) {
      const gap = reader.turnStarted(login);
      if (gap !== undefined && reader === this.#reader) this.#tell(gap);
    }
  }

  turnEnded(whole: boolean): void {
    for (const reader of this.#asked()) reader.turnEnded(whole);
    if (!whole) return;
    for (const [member, { asked }] of this.#catchingUp) {
      if (asked) this.#catchingUp.delete(member);
    }
  }

  deliver(item: Item): "new" | "repeat" | "reread" {
    const acceptance = this.#reader?.accept(item) ?? { kind: "repeat" };
    if (acceptance.kind === "reread") return "reread";
    if (acceptance.kind === "new" && acceptance.gap !== undefined) this.#tell(acceptance.gap);
    let delivered = false;
    for (const member of this.members) {
      const catchUp = this.#catchingUp.get(member);
      if (!(catchUp === undefined ? acceptance.kind === "new" : isNewTo(catchUp, item))) continue;
      member.push(item);
      delivered = true;
    }
    return delivered ? "new" : "repeat";
  }

  malformed(error: XrtcError): void {
    for (const member of this.members) member.callbacks.onMalformed?.(error);
  }

  report(status: ClientStatus): void {
    this.#status = status;
    for (const member of this.members) member.report(status);
  }

  fullMember(): Member | undefined {
    for (const member of this.members) if (member.isFull) return member;
    return undefined;
  }

  /** Those for whose sake the present request was made. */
  *#asked(): Generator<PortalReader> {
    if (this.#reader !== undefined) yield this.#reader;
    for (const { reader, asked } of this.#catchingUp.values()) if (asked) yield reader;
  }

  #tell(gap: Gap): void {
    for (const member of this.members) member.callbacks.onGap?.(gap);
  }
}

const isNewTo = ({ reader, asked }: CatchUp, item: Item): boolean =>
  asked && reader.accept(item).kind === "new";
