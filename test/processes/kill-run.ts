/** Servers and their Redis are killed at random moments, while items go from one client to another through them. */

import assert from "node:assert/strict";
import { type Gap, isXrtcError, XrtcClient } from "../../src/index.js";
import { type Random, systemRandom } from "../../src/primitives/random.js";
import { RedisServer } from "../support/redis.js";
import { RoundRobin } from "../support/round-robin.js";
import { scaledClock } from "../support/scaled-clock.js";
import { seededRandom, wholeBelow } from "../support/seeded-random.js";
import { KillableServer, type KillableServerOptions } from "../support/killable-server.js";
import { ACCOUNT_ID, API_KEY, credentials } from "../support/service.js";
import { Ledger } from "./ledger.js";

export interface KillOptions {
  /** SIGKILLs of servers, and as many of Redis. */
  readonly kills: number;
  readonly seed: number;
  readonly onKill?: (victim: Victim, at: number) => void;
}

export type Victim = "server" | "redis";

export interface KillReport {
  readonly killed: Readonly<Record<Victim, number>>;
  /** Sets that were answered ok, and whose items therefore have to arrive. */
  readonly acknowledged: number;
  /** Sets of which nobody knows: their items arrive once or not at all. */
  readonly unknown: number;
  /** What does not hold, in words. */
  readonly violations: readonly string[];
  readonly seconds: number;
}

const WRITER_KEY = "writerwriterwriterwriterwriter01";
const PORTALS = ["alpha", "beta", "gamma"] as const;
const GET_TIMEOUT_MS = 1_000;
/** How many times faster than the servers the clients live, so that they try again sooner than a user's would. */
const TIME_FACTOR = 5;
/** Backoff takes its shortest time: to clients that meet one outage after the other it is one long outage. */
const EAGER: Random = { next: () => 0, id: () => systemRandom.id() };
/** Sets under way at a time. */
const UNDER_WAY_MAX = 32;
/** Items that a reader may be behind before the writer waits for it: load is not to become a backlog. */
const BACKLOG_MAX = 1_000;
/** Items that arrive between two kills: at least one, at most so many. */
const BETWEEN_MAX = 150;
/** Milliseconds for items to arrive, above all that servers and clients need to find each other again. */
const ARRIVAL_MS_MAX = 30_000;

const serverOptions = (engine: string): KillableServerOptions => ({
  port: 0,
  engine,
  durability: "redis-aof",
  accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, WRITER_KEY] }],
  limits: {
    getTimeoutMs: GET_TIMEOUT_MS,
    loginIntervalMsMin: 0,
    ringItemsMax: 100_000,
    requestsPerSecondMax: 100_000,
  },
});

/**
 * Two servers on one Redis behind a balancer; a writer and a reader with a key each. One of the three processes is
 * killed and started again, again and again, each time when some more items have arrived.
 */
export async function killAndCheck({ kills, seed, onKill }: KillOptions): Promise<KillReport> {
  const startedAt = performance.now();
  await using redis = await RedisServer.start({ aof: true });
  await using one = await KillableServer.start(serverOptions(redis.url));
  await using two = await KillableServer.start(serverOptions(redis.url));
  await using balancer = await RoundRobin.before([one.port, two.port]);
  const client = (apiKey: string): XrtcClient =>
    new XrtcClient({
      ...credentials,
      apiKey,
      baseUrl: balancer.baseUrl,
      limits: {
        getTimeoutMs: GET_TIMEOUT_MS * TIME_FACTOR,
        loginIntervalMsMin: 0,
        requestsPerSecondMax: 100_000,
      },
      ports: { clock: scaledClock(TIME_FACTOR), random: EAGER },
      // As many attempts as it takes: whoever gave up would hide what was to be seen.
      attemptsMax: 1_000,
    });
  await using reader = client(API_KEY);
  await using writer = client(WRITER_KEY);
  const ledger = new Ledger(PORTALS);
  const gaps: Gap[] = [];
  const subscription = reader.subscribe({ portals: PORTALS, onGap: (gap) => gaps.push(gap) });
  await subscription.ready();
  const receiving = (async () => {
    for await (const { portalId, payload } of subscription) ledger.arrived(portalId, payload);
  })();
  const stop = new AbortController();
  const writing = write(writer, ledger, stop.signal);
  const next = seededRandom(seed);
  const killed = { server: 0, redis: 0 };
  try {
    while (killed.server < kills || killed.redis < kills) {
      const victim = victimOf(killed, kills, next);
      await ledger.more(1 + wholeBelow(next, BETWEEN_MAX), ARRIVAL_MS_MAX);
      killed[victim] += 1;
      onKill?.(victim, killed[victim]);
      const process = victim === "redis" ? redis : next() < 0.5 ? one : two;
      await process.restart();
    }
    await ledger.more(BETWEEN_MAX, ARRIVAL_MS_MAX);
  } finally {
    stop.abort();
    await writing;
  }
  await ledger.complete(ARRIVAL_MS_MAX);
  await subscription.close();
  await receiving;
  assert.ok(balancer.served.every((count) => count > 0));
  return {
    killed,
    acknowledged: ledger.acknowledged,
    unknown: ledger.unknown,
    violations: [
      ...ledger.violations(),
      ...gaps.map((gap) => `a gap was announced: ${JSON.stringify(gap)}`),
    ],
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

/** Either, until its kills are used up. */
function victimOf(
  killed: Readonly<Record<Victim, number>>,
  kills: number,
  next: () => number,
): Victim {
  if (killed.server >= kills) return "redis";
  if (killed.redis >= kills) return "server";
  return next() < 0.5 ? "server" : "redis";
}

/** Sets one item after the other, with several under way, until it is told to stop. */
async function write(client: XrtcClient, ledger: Ledger, stop: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  while (!stop.aborted) {
    const { portalId, payload, index } = ledger.next();
    const setting: Promise<void> = client
      .setItems([{ portalId, payload }])
      .then(
        () => ledger.settled(portalId, index, "ok"),
        (error: unknown) => {
          const isFailed = isXrtcError(error) && error.outcome === "fail";
          ledger.settled(portalId, index, isFailed ? "fail" : "unknown");
        },
      )
      .finally(() => underWay.delete(setting));
    underWay.add(setting);
    if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
    // Whoever waits for items in vain is told by the run itself.
    if (ledger.backlog > BACKLOG_MAX) await ledger.more(1, ARRIVAL_MS_MAX).catch(() => undefined);
  }
  await Promise.all(underWay);
}
