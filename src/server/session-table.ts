import type { Cancel, Clock } from "../primitives/clock.js";
import type { AccountKey, Positions } from "./account-key.js";
import type { SetOrder } from "./set-order.js";

/** Something that goes on in a session and must be told when the session ends. */
export interface OpenExchange {
  finish(): void;
}

/** One login: how far it has read, and what it has open. */
export class Session {
  /** Gets that are open, waiting or streaming. */
  readonly openGets = new Set<OpenExchange>();
  /** Places of ordered sets by producer. */
  readonly producers = new Map<string, SetOrder>();
  lastUsedAtMs: number;
  /** Requests that are being answered: a session in use does not end. */
  requests = 0;
  readonly #positions: Positions;

  /** @param positions - where it starts to read: shared, where the sessions of a key continue one another */
  constructor(
    readonly id: string,
    readonly key: AccountKey,
    readonly peer: string,
    { nowMs, positions = new Map() }: { readonly nowMs: number; readonly positions?: Positions },
  ) {
    this.lastUsedAtMs = nowMs;
    this.#positions = positions;
  }

  get accountId(): string {
    return this.key.accountId;
  }

  /** Sequence number of the last item that this session has read, or passed over; 0 at first. */
  position(portalId: string): number {
    return this.#positions.get(portalId)?.sequence ?? 0;
  }

  moveTo(portalId: string, sequence: number, nowMs: number): void {
    this.#positions.set(portalId, { sequence, movedAtMs: nowMs });
  }

  /** Forgets positions in portals whose every item of that time is gone, so that portals may come and go for ever. */
  forgetBefore(nowMs: number): void {
    for (const [portalId, { movedAtMs }] of this.#positions) {
      if (movedAtMs < nowMs) this.#positions.delete(portalId);
    }
  }
}

export interface SessionTableOptions {
  readonly clock: Clock;
  /** Milliseconds without a request after which a session ends. */
  readonly idleMsMax: number;
  /** Milliseconds after which a position cannot matter any more: the greatest age of an item. */
  readonly positionMsMax: number;
}

/** The sessions that are alive. */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #sessions = new Map<string, Session>();
  #cancelSweep: Cancel | undefined;

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#scheduleSweep();
  }

  /** The session with this id that belongs to this address, or undefined when there is none or its time is over. */
  find(id: string | undefined, peer: string): Session | undefined {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session === undefined || session.peer !== peer) return undefined;
    if (!this.#isOver(session)) return session;
    this.end(session);
    return undefined;
  }

  /** Ends a session and, cleanly, what it has open. */
  end(session: Session): void {
    this.#sessions.delete(session.id);
    for (const exchange of [...session.openGets]) exchange.finish();
    for (const order of session.producers.values()) order.close();
    if (this.#sessions.size === 0) this.#stopSweep();
  }

  endAll(): void {
    for (const session of [...this.#sessions.values()]) this.end(session);
  }

  /** Ends all sessions of a key. */
  endOf(key: AccountKey): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.key === key) this.end(session);
    }
  }

  #isOver(session: Session): boolean {
    const { clock, idleMsMax } = this.#options;
    return session.requests === 0 && clock.now() - session.lastUsedAtMs > idleMsMax;
  }

  #scheduleSweep(): void {
    const delayMs = Math.max(1_000, this.#options.idleMsMax);
    this.#cancelSweep ??= this.#options.clock.schedule(delayMs, this.#sweep);
  }

  #stopSweep(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  /** Sessions that nobody asks for any more would otherwise stay for ever. */
  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const positionsBefore = this.#options.clock.now() - this.#options.positionMsMax;
    for (const session of [...this.#sessions.values()]) {
      if (this.#isOver(session)) this.end(session);
      else session.forgetBefore(positionsBefore);
    }
    if (this.#sessions.size > 0) this.#scheduleSweep();
  };
}
