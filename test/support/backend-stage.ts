/** Backends for tests, asked as the server asks them, without HTTP in between. */

import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { MaybeAsync } from "../../src/primitives/maybe-async.js";
import type { NewItem } from "../../src/protocol/item.js";
import type {
  Backend,
  Entry,
  Login,
  Session,
  SetOutcome,
} from "../../src/server/backend/backend.js";
import { createBackend } from "../../src/server/backend/create-backend.js";
import type { PortalQuery } from "../../src/server/engine/engine.js";
import { resolveOptions, type XrtcServerOptions } from "../../src/server/options.js";
import { needsRedis, RedisServer } from "./redis.js";
import { ACCOUNT_ID, API_KEY } from "./service.js";

export const PEER = "127.0.0.1";

/** One or several backends with everything in common, as several server processes have. */
export class BackendStage implements AsyncDisposable {
  readonly backends: readonly Backend[];
  #turn = 0;

  private constructor(backends: readonly Backend[]) {
    this.backends = backends;
  }

  static async open(count: number, options: Partial<XrtcServerOptions>): Promise<BackendStage> {
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
    const limits = { loginIntervalMsMin: 0, ...options.limits };
    const settings = resolveOptions({ accounts, ...options, limits });
    const backends = await Promise.all(
      Array.from({ length: count }, () => createBackend(settings)),
    );
    const stage = new BackendStage(backends);
    try {
      await Promise.all(backends.map(async (backend) => backend.open()));
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
    return stage;
  }

  /** The next one by turns. */
  get any(): Backend {
    this.#turn += 1;
    return this.backends[this.#turn % this.backends.length] as Backend;
  }

  login(apiKey = API_KEY, accountId = ACCOUNT_ID): MaybeAsync<Login> {
    return this.any.sessions.login({ accountId, apiKey }, PEER);
  }

  /** A new session's id. */
  async opened(): Promise<string> {
    const login = await this.login();
    if (login.kind !== "opened") throw new Error(`no session was opened: ${login.kind}`);
    return login.sessionId;
  }

  enter(id: string, peer = PEER): MaybeAsync<Entry> {
    return this.any.sessions.enter(id, peer);
  }

  /** A request of the session under way, at the next backend by turns or at that one. */
  async session(id: string, backend = this.any): Promise<Session> {
    const entry = await backend.sessions.enter(id, PEER);
    if (entry.kind !== "entered") throw new Error(`the session was not entered: ${entry.kind}`);
    return entry.session;
  }

  /** A whole set request. */
  async set(id: string, wish: SetAsked): Promise<SetOutcome> {
    const session = await this.session(id);
    try {
      return await setIn(session, wish);
    } finally {
      session.leave();
    }
  }

  /** What a request would read of a portal, in pages of a line each. */
  async read(query: Partial<PortalQuery> & { readonly portalId: string }): Promise<Read> {
    const whole = { ...ANY, ...query };
    const [page] = await this.any.engine.read(ACCOUNT_ID, [whole]);
    assert.ok(page !== undefined);
    const items = Array.from({ length: page.length }, (_, index) => page.at(index));
    return {
      sequences: items.map(({ sequence }) => sequence),
      payloads: items.map(({ encoded }) => (JSON.parse(encoded) as { payload: string }).payload),
      timestamps: items.map(({ serverTimestamp }) => serverTimestamp),
      newest: page.newestSequence,
      first: page.firstSequence,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const backend of this.backends) backend.sessions.endAll();
    await Promise.all(this.backends.map(async (backend) => backend.close()));
  }
}

export interface SetAsked {
  readonly items: readonly NewItem[] | (() => readonly NewItem[]);
  readonly key?: string;
  readonly producer?: string;
  readonly number?: number;
}

export interface Read {
  readonly sequences: readonly number[];
  readonly payloads: readonly string[];
  readonly timestamps: readonly number[];
  readonly newest: number;
  readonly first: number;
}

const ANY = {
  afterSequence: 0,
  fromTimestamp: undefined,
  cutoffMs: -1,
  schedule: "FIFO",
  isFirst: true,
} as const;

/** A set in a request that is under way. */
export function setIn(session: Session, asked: SetAsked): Promise<SetOutcome> {
  const { items, key, producer, number } = asked;
  const order = producer === undefined || number === undefined ? undefined : { producer, number };
  const read = typeof items === "function" ? items : () => items;
  return new Promise((resolve) => {
    const fingerprint = (): string => JSON.stringify(read());
    session.set({ idempotencyKey: key, order, items: read, fingerprint }, resolve);
  });
}

/** One item for each payload. */
export const itemsOf = (portalId: string, ...payloads: readonly string[]): NewItem[] =>
  payloads.map((payload) => ({ portalId, payload }));

/** Opens a stage of its own, with nothing in it. */
export type Open = (options?: Partial<XrtcServerOptions>) => Promise<BackendStage>;

/**
 * The same tests of every backend: in memory, in Redis, and in Redis with every call at another process' backend.
 *
 * @param tests - are told how many backends a stage has, 0 for the one in memory
 */
export function forEachBackend(what: string, tests: (open: Open, count: number) => void): void {
  const kinds = ["in memory", "in Redis", "in Redis, of two processes by turns"];
  kinds.forEach((kind, count) => {
    describe(`${what} of a backend ${kind}`, () => {
      let redis: RedisServer | undefined;
      let prefixes = 0;

      before(async function () {
        if (count === 0) return;
        needsRedis(this);
        redis = await RedisServer.start();
      });

      after(() => redis?.[Symbol.asyncDispose]());

      tests((options = {}) => {
        prefixes += 1;
        const common = redis && { engine: redis.url, enginePrefix: `p${prefixes}` };
        return BackendStage.open(Math.max(1, count), { ...common, ...options });
      }, count);
    });
  });
}

/** Repeats a look until it shows what is meant; its test's time is its bound. */
export async function until<T>(
  look: () => MaybeAsync<T>,
  isMeant: (value: T) => boolean,
): Promise<T> {
  for (;;) {
    const value = await look();
    if (isMeant(value)) return value;
    await sleep(5);
  }
}
