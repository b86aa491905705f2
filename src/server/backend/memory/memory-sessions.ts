import type { Cancel } from "../../../primitives/clock.js";
import { TimeoutQueue } from "../../../primitives/timeout-queue.js";
import type { ServerSettings } from "../../options.js";
import type { Credentials, Entry, Login, Sessions } from "../backend.js";
import type { AccountKey } from "./account-key.js";
import type { Accounts } from "./accounts.js";
import type { MemoryEngine } from "./memory-engine.js";
import { MemorySession } from "./memory-session.js";
import { Positions } from "./positions.js";

const REFUSED: Login = { kind: "refused" };
const FULL: Login = { kind: "full" };
const TOO_FREQUENT: Login = { kind: "tooFrequent" };
const DENIED: Entry = { kind: "denied" };

/** A position cannot matter any more when every item of its time is gone; this much later, in ms. */
const POSITION_MARGIN_MS = 1_000;

/** The sessions of one process, which end with it. */
export class MemorySessions implements Sessions {
  readonly #settings: ServerSettings;
  readonly #accounts: Accounts;
  readonly #engine: MemoryEngine;
  readonly #sessions = new Map<string, MemorySession>();
  /** Ends of the patience with ordered sets whose predecessors do not come. */
  readonly #earlySets: TimeoutQueue;
  #cancelSweep: Cancel | undefined;

  constructor(settings: ServerSettings, accounts: Accounts, engine: MemoryEngine) {
    this.#settings = settings;
    this.#accounts = accounts;
    this.#engine = engine;
    this.#earlySets = new TimeoutQueue(settings.bounds.earlySetWaitMs, settings.clock);
  }

  get size(): number {
    return this.#sessions.size;
  }

  login({ accountId, apiKey }: Credentials, peer: string): Login {
    const key = this.#accounts.verify(accountId, apiKey);
    if (key === undefined) return REFUSED;
    const waitMs = key.requests.tryTake();
    if (waitMs > 0) return { kind: "tooMany", waitMs };
    if (this.#sessions.size >= this.#settings.bounds.sessionsMax) return FULL;
    if (!key.tryLogin()) return TOO_FREQUENT;
    if (this.#settings.secondLogin === "end") this.endOf(new Set([key]));
    return { kind: "opened", sessionId: this.#open(key, peer), epoch: this.#engine.epoch };
  }

  enter(sessionId: string | undefined, peer: string): Entry {
    const session = this.#find(sessionId, peer);
    if (session === undefined) return DENIED;
    session.use();
    const { key } = session;
    const waitMs = key.requests.tryTake();
    if (waitMs > 0) return { kind: "tooMany", waitMs, of: "second" };
    const monthMs = key.account.countRequest(this.#settings.clock.wallNow());
    if (monthMs > 0) return { kind: "tooMany", waitMs: monthMs, of: "month" };
    session.enter();
    return session.entered;
  }

  endAll(): void {
    for (const session of [...this.#sessions.values()]) this.#end(session);
    this.#earlySets.clear();
  }

  /** Ends all sessions of these keys. */
  endOf(keys: ReadonlySet<AccountKey>): void {
    for (const session of [...this.#sessions.values()]) {
      if (keys.has(session.key)) this.#end(session);
    }
  }

  #open(key: AccountKey, peer: string): string {
    const [settings, engine, earlySets] = [this.#settings, this.#engine, this.#earlySets];
    // 128 bits, and new at each login: an id that somebody planted or saw before is worth nothing.
    const id = settings.randomBytes(16).toString("hex").toUpperCase();
    const isNew = settings.dialect.newLogin === "replay";
    const positions = isNew ? new Positions() : key.positions;
    const session = new MemorySession({ id, key, peer, positions, engine, earlySets, settings });
    this.#sessions.set(id, session);
    this.#scheduleSweep();
    return id;
  }

  /** The session with this id that belongs to this address, or undefined when there is none or its time is over. */
  #find(id: string | undefined, peer: string): MemorySession | undefined {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session === undefined || session.peer !== peer) return undefined;
    if (!session.isUnused()) return session;
    this.#end(session);
    return undefined;
  }

  #end(session: MemorySession): void {
    this.#sessions.delete(session.id);
    session.end();
    if (this.#sessions.size === 0) this.#stopSweep();
  }

  #scheduleSweep(): void {
    const { clock, limits } = this.#settings;
    const delayMs = Math.max(1_000, limits.sessionIdleMsMax);
    this.#cancelSweep ??= clock.schedule(delayMs, this.#sweep);
  }

  #stopSweep(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  /** Sessions that nobody asks for any more would otherwise stay for ever. */
  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const positionMsMax = this.#settings.limits.itemAgeMsMax + POSITION_MARGIN_MS;
    for (const session of [...this.#sessions.values()]) {
      if (session.isUnused()) this.#end(session);
      else session.forgetUnmoved(positionMsMax);
    }
    if (this.#sessions.size > 0) this.#scheduleSweep();
  };
}
