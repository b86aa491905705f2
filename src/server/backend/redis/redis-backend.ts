import type { Redis } from "ioredis";
import { XrtcError } from "../../../errors.js";
import type { Cancel } from "../../../primitives/clock.js";
import { TimeoutQueue } from "../../../primitives/timeout-queue.js";
import type { EngineSettings } from "../../engine-settings.js";
import { Logger } from "../../log.js";
import type { ServerSettings, XrtcServerAccount } from "../../options.js";
import type { Backend } from "../backend.js";
import type { AccountFeed } from "./account-feed.js";
import { AccountFeeds } from "./account-feeds.js";
import type { BellEntry } from "./bell-entry.js";
import { BELL_WAIT_MS, BellReader, clientIdOf } from "./bell-reader.js";
import { Connection } from "./connection.js";
import { missingFor } from "./durability.js";
import { EarlySets } from "./early-sets.js";
import { EngineClock } from "./engine-clock.js";
import { ItemReader } from "./item-reader.js";
import { type Ioredis, loadIoredis } from "./load-ioredis.js";
import { RedisAccounts } from "./redis-accounts.js";
import { RedisEngine } from "./redis-engine.js";
import { persistenceOf, runOf } from "./redis-info.js";
import { RedisRegistrations } from "./redis-registrations.js";
import { RedisSessions } from "./redis-sessions.js";
import { RedisSets } from "./redis-sets.js";
import { SCRIPTS } from "./scripts/index.js";

/** Milliseconds that a server which starts waits for Redis. */
const OPEN_MS_MAX = 2_000;

type RedisSettings = Extract<EngineSettings, { readonly kind: "redis" }>;

/**
 * Everything in Redis, so that several server processes serve the same accounts, and what is there outlives them.
 *
 * Two connections: one for commands, and one that waits for the bells of the accounts that somebody here reads.
 */
export class RedisBackend implements Backend {
  readonly durability: RedisSettings["durability"];
  readonly engine: RedisEngine;
  readonly accounts: RedisAccounts;
  readonly registrations: RedisRegistrations;
  readonly sessions: RedisSessions;
  readonly #logger: Logger;
  readonly #settings: ServerSettings;
  readonly #commands: Connection;
  readonly #waiting: Connection;
  readonly #bells: BellReader;
  readonly #early: EarlySets;
  readonly #earlyTimeouts: TimeoutQueue;
  readonly #sets: RedisSets;
  #run = "";
  /** Why this Redis does not keep what is promised. */
  #unfit: string | undefined;
  #bellClient = 0;
  #wasReady = false;
  #onChange: () => void = () => {};

  /** Connects to nothing yet. */
  constructor(settings: ServerSettings, engine: RedisSettings, ioredis: Ioredis) {
    const { clock, random, limits, bounds, extensions } = settings;
    const { prefix, url } = engine;
    this.durability = engine.durability;
    this.#settings = settings;
    this.#logger = new Logger(settings.log, clock);
    const shared = { ioredis, url, random };
    const connection = new Connection({
      ...shared,
      name: `${prefix}-server`,
      prepare: (client) => this.#prepareCommands(client),
      onReady: () => this.#ready(),
      onLost: () => this.#lost(),
    });
    const waiting = new Connection({
      ...shared,
      name: `${prefix}-server-bell`,
      blockMs: BELL_WAIT_MS,
      prepare: (client) => this.#prepareWaiting(client),
      onReady: () => this.#waitingReady(),
      onLost: () => {},
    });
    this.#commands = connection;
    this.#waiting = waiting;
    const engineClock = new EngineClock(clock);
    const withSequence = extensions.has("seq");
    const items = new ItemReader({ connection, clock: engineClock, limits, withSequence });
    this.#earlyTimeouts = new TimeoutQueue(bounds.earlySetWaitMs, clock);
    const early = new EarlySets(this.#earlyTimeouts);
    this.#early = early;
    this.#bells = new BellReader({
      clock,
      waiting,
      commands: connection,
      onEntry: (feed, entry) => this.#heard(feed, entry),
      onFailure: ({ message }) => this.#logger.write("error", "bell-failed", message),
    });
    const feeds = new AccountFeeds(prefix, {
      items,
      ageMsMax: limits.itemAgeMsMax,
      ledger: { bytes: 0 },
      now: () => clock.now(),
      onListen: (feed) => this.#bells.listen(feed),
    });
    const sets = new RedisSets({ connection, clock: engineClock, items, early, settings });
    this.#sets = sets;
    this.engine = new RedisEngine(prefix, feeds, items);
    this.accounts = new RedisAccounts(prefix, connection, settings);
    this.registrations = new RedisRegistrations(prefix, connection, settings);
    this.sessions = new RedisSessions({
      ...{ prefix, connection, feeds, sets, early, settings },
      accounts: this.accounts,
      clock: engineClock,
      // What is on disk before it is acknowledged is there in the next run, too.
      run: () => (this.durability === "redis" ? this.#run : ""),
    });
  }

  get trouble(): string | undefined {
    const trouble = this.#commands.trouble ?? this.#waiting.trouble;
    return trouble === undefined ? undefined : `Redis: ${trouble}`;
  }

  get itemsOverrun(): number {
    return this.#sets.itemsOverrun;
  }

  async open(): Promise<void> {
    this.#commands.open();
    this.#waiting.open();
    await this.#opened();
    if (this.#unfit !== undefined) throw new XrtcError("XRTC_OPTIONS", this.#unfit);
    const { trouble } = this;
    if (trouble === undefined) return;
    const message = `there is no Redis to serve from: ${trouble}`;
    throw new XrtcError("XRTC_ENGINE_UNAVAILABLE", message, { retryable: true });
  }

  renewAccounts(accounts: readonly XrtcServerAccount[]): void {
    this.accounts.renew(accounts);
    this.sessions.endStrangers();
  }

  async close(): Promise<void> {
    this.#bells.close();
    this.#early.close();
    this.#earlyTimeouts.clear();
    this.sessions.close();
    await Promise.all([this.#commands.close(), this.#waiting.close()]);
  }

  /** Resolves when it is ready, or unfit, or its time is over. */
  #opened(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#onChange = () => {};
        resolve();
      };
      const cancel: Cancel = this.#settings.clock.schedule(OPEN_MS_MAX, end);
      this.#onChange = () => {
        if (this.trouble === undefined || this.#unfit !== undefined) end();
      };
      this.#onChange();
    });
  }

  /** Nothing is asked of a Redis that does not keep what is promised: also when it is another one than before. */
  async #prepareCommands(client: Redis): Promise<void> {
    const isKept = this.durability === "redis-aof";
    const [run] = await Promise.all([
      runOf(client),
      ...SCRIPTS.map(({ lua }) => client.script("LOAD", lua)),
    ]);
    this.#unfit = isKept ? missingFor(this.durability, await persistenceOf(client)) : undefined;
    if (this.#unfit !== undefined) {
      this.#onChange();
      throw new Error(this.#unfit);
    }
    // Another run, and nobody knows what it has: whoever is logged in begins anew.
    if (!isKept && this.#run !== "" && run !== this.#run) this.sessions.endAll();
    this.#run = run;
  }

  async #prepareWaiting(client: Redis): Promise<void> {
    this.#bellClient = clientIdOf(await client.client("ID"));
  }

  #ready(): void {
    if (this.#wasReady) this.#logger.write("info", "engine-ready", "Redis answers again");
    this.#wasReady = true;
    this.#onChange();
  }

  #lost(): void {
    this.#logger.write("warn", "engine-lost", `Redis does not answer: ${this.trouble ?? ""}`);
  }

  #waitingReady(): void {
    this.#bells.ready(this.#bellClient);
    // What went on meanwhile, the bell tells; that nothing may have, it does not.
    this.#early.lookAgain();
    this.#onChange();
  }

  #heard(feed: AccountFeed, entry: BellEntry): void {
    if (feed.hear(entry)) this.#early.lookAgain();
    if (entry.order !== undefined) this.#early.notice(entry.order);
    if (entry.ended !== undefined) this.sessions.endBefore(feed.accountId, entry.ended);
  }
}

/**
 * A backend in Redis.
 *
 * @throws XrtcError XRTC_ENGINE_UNAVAILABLE when the client of Redis is not installed
 */
export async function createRedisBackend(
  settings: ServerSettings,
  engine: RedisSettings,
): Promise<RedisBackend> {
  return new RedisBackend(settings, engine, await loadIoredis());
}
