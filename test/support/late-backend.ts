import { setImmediate } from "node:timers/promises";
import type {
  Backend,
  Credentials,
  Entry,
  Login,
  Move,
  OpenExchange,
  RegistrationCode,
  Session,
  SetOutcome,
  SetWish,
} from "../../src/server/backend/backend.js";
import { MemoryBackend } from "../../src/server/backend/memory/memory-backend.js";
import type { EngineReader, PortalPage, PortalQuery } from "../../src/server/engine/engine.js";
import type { StoredItem } from "../../src/server/engine/stored-item.js";
import type { ServerSettings, XrtcServerAccount } from "../../src/server/options.js";

/** What a request may have to wait for. */
export type Step =
  | "login"
  | "enter"
  | "positions"
  | "read"
  | "move"
  | "latest"
  | "set"
  | "accounts"
  | "registrations";

/** Resolves when whatever could go on without anybody's doing has gone on. */
export const settled = (): Promise<void> => setImmediate();

/** A backend that answers later, step by step as a test lets it: what is behind it is in memory. */
export class LateBackend implements Backend {
  readonly durability = "memory";
  readonly trouble = undefined;
  readonly itemsOverrun = 0;
  readonly #memory: MemoryBackend;
  readonly #held = new Map<Step, (() => void)[]>();
  readonly #failing = new Map<Step, Error>();
  readonly #sessions = new WeakMap<Session, LateSession>();

  constructor(settings: ServerSettings) {
    this.#memory = new MemoryBackend(settings);
  }

  /** From now on nothing passes this step. */
  hold(step: Step): void {
    this.#held.set(step, this.#held.get(step) ?? []);
  }

  /** How many wait at a step that is held. */
  waitingAt(step: Step): number {
    return this.#held.get(step)?.length ?? 0;
  }

  /** Lets those who wait at a step pass, and who comes. */
  async release(step: Step): Promise<void> {
    const waiting = this.#held.get(step) ?? [];
    this.#held.delete(step);
    for (const pass of waiting) pass();
    await settled();
  }

  /** From now on this step fails. */
  fail(step: Step, error: Error = new Error("connection lost")): void {
    this.#failing.set(step, error);
  }

  async late<T>(step: Step, run: () => T): Promise<T> {
    const waiting = this.#held.get(step);
    await (waiting === undefined
      ? undefined
      : new Promise<void>((resolve) => waiting.push(resolve)));
    const error = this.#failing.get(step);
    if (error !== undefined) throw error;
    return run();
  }

  readonly accounts = {
    hasRoom: (): Promise<boolean> => this.late("accounts", () => this.#memory.accounts.hasRoom()),
    create: (accountId: string, apiKey: string): Promise<boolean> =>
      this.late("accounts", () => this.#memory.accounts.create(accountId, apiKey)),
  };

  readonly registrations = {
    start: (email: string, token: string | undefined): Promise<RegistrationCode> =>
      this.late("registrations", () => this.#memory.registrations.start(email, token)),
    finish: (token: string, code: string): Promise<void> =>
      this.late("registrations", () => this.#memory.registrations.finish(token, code)),
  };

  readonly engine = {
    read: (accountId: string, queries: readonly PortalQuery[]): Promise<readonly PortalPage[]> =>
      this.late("read", () => this.#memory.engine.read(accountId, queries).map(copied)),
    latest: (accountId: string): Promise<readonly StoredItem[]> =>
      this.late("latest", () => this.#memory.engine.latest(accountId)),
    subscribe: (
      accountId: string,
      portalIds: readonly string[],
      reader: EngineReader,
    ): (() => void) => this.#memory.engine.subscribe(accountId, portalIds, reader),
  };

  get sessions(): Backend["sessions"] {
    const { sessions } = this.#memory;
    return {
      size: sessions.size,
      endAll: () => sessions.endAll(),
      login: (credentials: Credentials, peer: string): Promise<Login> =>
        this.late("login", () => sessions.login(credentials, peer)),
      enter: (id: string | undefined, peer: string): Promise<Entry> =>
        this.late("enter", () => {
          const entry = sessions.enter(id, peer);
          if (entry.kind !== "entered") return entry;
          return { kind: "entered", session: this.#late(entry.session) };
        }),
    };
  }

  open(): void {
    this.#memory.open();
  }

  renewAccounts(accounts: readonly XrtcServerAccount[]): void {
    this.#memory.renewAccounts(accounts);
  }

  close(): void {
    this.#memory.close();
  }

  #late(session: Session): Session {
    const known = this.#sessions.get(session) ?? new LateSession(this, session);
    this.#sessions.set(session, known);
    return known;
  }
}

class LateSession implements Session {
  readonly accountId: string;
  readonly openGets: Set<OpenExchange>;
  readonly #backend: LateBackend;
  readonly #session: Session;

  constructor(backend: LateBackend, session: Session) {
    this.#backend = backend;
    this.#session = session;
    this.accountId = session.accountId;
    this.openGets = session.openGets;
  }

  get isOver(): boolean {
    return this.#session.isOver;
  }

  leave(): void {
    this.#session.leave();
  }

  positions(portalIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#backend.late("positions", () => new Map(this.#positions(portalIds)));
  }

  move(moves: readonly Move[]): Promise<boolean> {
    return this.#backend.late("move", () => {
      const now = this.#positions([]);
      const isOurs = moves.every(({ portalId, from }) => (now.get(portalId) ?? 0) === from);
      return isOurs && (this.#session.move(moves) as boolean);
    });
  }

  set(wish: SetWish, onDecided: (outcome: SetOutcome) => void): void {
    this.#backend
      .late("set", () => this.#session.set(wish, onDecided))
      .catch((error: unknown) => onDecided({ kind: "failed", error }));
  }

  #positions(portalIds: readonly string[]): ReadonlyMap<string, number> {
    return this.#session.positions(portalIds) as ReadonlyMap<string, number>;
  }
}

/** What comes later has to stay as it is. */
function copied(page: PortalPage): PortalPage {
  const items = Array.from({ length: page.length }, (_, at) => page.at(at));
  return { ...page, at: (index) => items[index] as StoredItem };
}
