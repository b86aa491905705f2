import type { Cancel } from "../../../primitives/clock.js";
import type { ServerSettings } from "../../options.js";
import type { Credentials, Entry, Login, Sessions } from "../backend.js";
import { sha256 } from "../key-hashes.js";
import type { EndedNotice } from "./bell-entry.js";
import type { EarlySets } from "./early-sets.js";
import type { EngineClock } from "./engine-clock.js";
import { accountBase } from "./keys.js";
import { Month } from "./month.js";
import type { RedisAccounts } from "./redis-accounts.js";
import { RedisSession, type RedisSessionsDeps, type SessionLife } from "./redis-session.js";
import { listOf, numberAt, type Reply, textAt } from "./reply.js";
import { ENTER } from "./scripts/enter.js";
import { LOGIN } from "./scripts/login.js";
import { newSessionId, type SessionName, sessionOf } from "./session-id.js";

/**
 * A session is begun anew in Redis with each request, and by those that last: what is less than this part of its minute
 * ago need not be told again. It lives so much longer instead.
 */
const RENEWED_PART = 20;

export interface RedisSessionsOptions extends RedisSessionsDeps {
  readonly accounts: RedisAccounts;
  readonly clock: EngineClock;
  readonly early: EarlySets;
  readonly settings: ServerSettings;
  /** The run of Redis on which the epoch depends, or "" where it depends on none. */
  readonly run: () => string;
}

/** Sessions in Redis: any process serves any of them. */
export class RedisSessions implements Sessions {
  readonly #options: RedisSessionsOptions;
  readonly #month: Month;
  /** Those that this process has seen, the one used last at the end. */
  readonly #sessions = new Map<string, RedisSession>();
  readonly #idleMs: number;
  #cancelSweep: Cancel | undefined;

  constructor(options: RedisSessionsOptions) {
    this.#options = options;
    this.#month = new Month(options.settings.clock);
    const { sessionIdleMsMax } = options.settings.limits;
    this.#idleMs = sessionIdleMsMax + Math.ceil(sessionIdleMsMax / RENEWED_PART);
  }

  get size(): number {
    return this.#sessions.size;
  }

  async login({ accountId, apiKey }: Credentials, peer: string): Promise<Login> {
    const { settings, accounts, connection, prefix, run } = this.#options;
    const { limits, bounds, randomBytes, random, secondLogin } = settings;
    const sessionId = newSessionId(accountId, randomBytes);
    const named = sessionOf(sessionId);
    if (named === undefined) return { kind: "refused" };
    const hash = sha256(apiKey);
    const [keyHash, isOfOptions] = [hash.toString("hex"), accounts.isOfOptions(accountId, hash)];
    const reply = listOf(
      await connection.run(LOGIN, accountBase(prefix, accountId), [
        ...[keyHash, isOfOptions ? 1 : 0, named.name, peer, run(), random.id(), this.#idleMs],
        ...[limits.loginIntervalMsMin, limits.requestsPerSecondMax, bounds.sessionsMax],
        secondLogin === "end" ? 1 : 0,
      ]),
    );
    const kind = textAt(reply, 0);
    if (kind === "tooMany") return { kind, waitMs: numberAt(reply, 1) };
    if (kind === "full" || kind === "tooFrequent" || kind === "refused") return { kind };
    const [epoch, generation] = [textAt(reply, 1), numberAt(reply, 2)];
    if (secondLogin === "end") this.endBefore(accountId, { keyHash, generation });
    this.#seen(named, { keyHash, isOfOptions, generation, epoch });
    return { kind: "opened", sessionId, epoch };
  }

  enter(sessionId: string | undefined, peer: string): Entry | Promise<Entry> {
    const named = sessionOf(sessionId);
    return named === undefined ? { kind: "denied" } : this.#enter(named, peer);
  }

  endAll(): void {
    for (const session of [...this.#sessions.values()]) this.#end(session);
    this.#options.early.close();
  }

  /** Leaves no timer behind. */
  close(): void {
    this.endAll();
    this.#stopSweep();
  }

  /** A later login of their key ended these sessions. */
  endBefore(accountId: string, { keyHash, generation }: EndedNotice): void {
    for (const session of [...this.#sessions.values()]) {
      const { life } = session;
      if (session.accountId !== accountId || life.keyHash !== keyHash) continue;
      if (life.generation < generation) this.#end(session);
    }
  }

  /** The options name other keys now: sessions of those that are gone end here, and elsewhere let nobody in. */
  endStrangers(): void {
    for (const session of [...this.#sessions.values()]) {
      const { accountId, life } = session;
      if (life.isOfOptions && !this.#isStillNamed(accountId, life.keyHash)) this.#end(session);
    }
  }

  #isStillNamed(accountId: string, keyHash: string): boolean {
    return this.#options.accounts.isOfOptions(accountId, Buffer.from(keyHash, "hex"));
  }

  async #enter(named: SessionName, peer: string): Promise<Entry> {
    const { settings, connection, prefix, run } = this.#options;
    const { limits, clock } = settings;
    const { requestsPerSecondMax, requestsPerMonthMax } = limits;
    const monthMax = requestsPerMonthMax >= Number.MAX_SAFE_INTEGER ? -1 : requestsPerMonthMax;
    const reply = listOf(
      await connection.run(ENTER, accountBase(prefix, named.accountId), [
        ...[named.name, peer, run(), this.#idleMs, requestsPerSecondMax],
        ...[monthMax, this.#month.name, this.#month.end],
      ]),
    );
    switch (textAt(reply, 0)) {
      case "second":
        return { kind: "tooMany", waitMs: numberAt(reply, 1), of: "second" };
      case "month":
        return { kind: "tooMany", waitMs: this.#month.restMs, of: "month" };
      case "entered":
        return this.#entered(named, reply, clock.now());
      default:
        this.#denied(named);
        return { kind: "denied" };
    }
  }

  #entered(named: SessionName, reply: Reply, nowMs: number): Entry {
    const { feeds, clock } = this.#options;
    const [keyHash, generation, epoch] = [textAt(reply, 1), numberAt(reply, 2), textAt(reply, 3)];
    const isOfOptions = textAt(reply, 6) === "1";
    if (isOfOptions && !this.#isStillNamed(named.accountId, keyHash)) return { kind: "denied" };
    clock.observe(numberAt(reply, 5));
    feeds.enter(named.accountId).observe(epoch, numberAt(reply, 4));
    const session = this.#seen(named, { keyHash, isOfOptions, generation, epoch });
    session.renewedAtMs = nowMs;
    session.enter(numberAt(reply, 7));
    return session.entered;
  }

  /** The session as this process knows it; it is noted as the one used last. */
  #seen(named: SessionName, life: SessionLife): RedisSession {
    const { settings } = this.#options;
    const known = this.#sessions.get(named.name);
    const session = known ?? new RedisSession(named, life, this.#options, this.#onLeave);
    this.#sessions.delete(named.name);
    this.#sessions.set(named.name, session);
    session.usedAtMs = settings.clock.now();
    if (known === undefined) this.#makeRoom();
    this.#scheduleSweep();
    return session;
  }

  /** Its time is over, or it was ended elsewhere, or it is of another address. */
  #denied({ name }: SessionName): void {
    if (this.#sessions.get(name)?.isInUse === false) this.#sessions.delete(name);
  }

  /** What this process knows of the one that rested longest is forgotten; the session itself is in Redis. */
  #makeRoom(): void {
    if (this.#sessions.size <= this.#options.settings.bounds.sessionsMax) return;
    for (const [name, session] of this.#sessions) {
      if (session.isInUse) continue;
      this.#sessions.delete(name);
      return;
    }
  }

  #end(session: RedisSession): void {
    this.#sessions.delete(session.name);
    session.end();
    this.#options.early.close(session.name);
    if (this.#sessions.size === 0) this.#stopSweep();
  }

  readonly #onLeave = (session: RedisSession): void => {
    const { settings, feeds } = this.#options;
    feeds.leave(session.accountId);
    session.usedAtMs = settings.clock.now();
    const sinceMs = session.usedAtMs - session.renewedAtMs;
    if (sinceMs > settings.limits.sessionIdleMsMax / RENEWED_PART) this.#renew(session);
  };

  #renew(session: RedisSession): void {
    session.renewedAtMs = this.#options.settings.clock.now();
    // While Redis cannot be asked, its own clock goes on: then the session may end, and the client log in again.
    this.#options.connection.call("PEXPIRE", session.key, this.#idleMs).catch(() => undefined);
  }

  #scheduleSweep(): void {
    const { clock, limits } = this.#options.settings;
    const delayMs = Math.max(50, limits.sessionIdleMsMax / 3);
    this.#cancelSweep ??= clock.schedule(delayMs, this.#sweep);
  }

  #stopSweep(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  /** Keeps those alive that have a request under way, and forgets those that nobody asks for any more. */
  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const { clock, limits } = this.#options.settings;
    const now = clock.now();
    for (const session of [...this.#sessions.values()]) {
      if (session.isInUse) {
        if (now - session.renewedAtMs > limits.sessionIdleMsMax / 4) this.#renew(session);
      } else if (now - session.usedAtMs > this.#idleMs) this.#sessions.delete(session.name);
    }
    if (this.#sessions.size > 0) this.#scheduleSweep();
  };
}
