import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Gap, type NewItem, XrtcClient } from "../../src/index.js";
import type { ServerStats } from "../../src/server/index.js";
import { FaultProxy } from "./fault-proxy.js";
import { stableHeapBytes } from "./heap.js";
import { mixedFaults } from "./mixed-faults.js";
import { scaledClock } from "./scaled-clock.js";
import { oneOf, seededRandom, wholeBelow } from "./seeded-random.js";
import { credentials } from "./service.js";

export interface EnduranceOptions {
  readonly items: number;
  readonly seed: number;
  /** Share of exchanges with which something goes wrong. @defaultValue 0.03 */
  readonly faultShare?: number;
  readonly onProgress?: (delivered: number) => void;
}

export interface EnduranceReport {
  readonly items: number;
  readonly seed: number;
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
  /** Items that nobody had set, or that were changed on the way. */
  readonly foreign: number;
  /** Items that the server stored. */
  readonly stored: number;
  readonly gaps: readonly Gap[];
  /** Sets that were not confirmed. */
  readonly failedSets: readonly Error[];
  readonly requests: number;
  readonly logins: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Bytes of the heap, after the run less before it. */
  readonly heapGrowthBytes: number;
}

const PORTALS = ["alpha", "beta", "gamma", "delta"] as const;
/** How many times faster than real time both sides live, so that a deadline of 10 s is one of half a second. */
const TIME_FACTOR = 20;
/** Milliseconds of that time for which a stream stays open: many turns rather than few long ones. */
const GET_TIMEOUT_MS = 2_000;
const RETRY_MS_MAX = 1_200_000;
/** Items of a portal that may be set and not delivered yet: what is on the way must fit into the server's ring. */
const UNDELIVERED_MAX = 8_000;
const WARM_UP_ITEMS = 4_000;

/** What arrived at one portal, against what was sent to it. */
class Ledger {
  readonly #seen: Uint8Array;
  readonly #id: string;
  #last = -1;
  #sent = 0;
  #arrived = 0;
  #wake: (() => void) | undefined;
  twice = 0;
  outOfOrder = 0;
  foreign = 0;

  constructor(id: string, items: number) {
    this.#id = id;
    this.#seen = new Uint8Array(items);
  }

  get arrived(): number {
    return this.#arrived;
  }

  get lost(): number {
    return this.#seen.length - this.#arrived;
  }

  get isComplete(): boolean {
    return this.lost === 0;
  }

  /** The next items to send, at most so many; none when all are sent. */
  next(count: number): NewItem[] {
    const end = Math.min(this.#seen.length, this.#sent + count);
    const items: NewItem[] = [];
    for (; this.#sent < end; this.#sent += 1) {
      items.push({ portalId: this.#id, payload: `${this.#id} ${this.#sent} grüße` });
    }
    return items;
  }

  accept(payload: string): void {
    const index = Number(payload.split(" ")[1]);
    if (payload !== `${this.#id} ${index} grüße` || !(index < this.#sent)) {
      this.foreign += 1;
      return;
    }
    if (this.#seen[index] === 1) this.twice += 1;
    else {
      this.#seen[index] = 1;
      this.#arrived += 1;
    }
    if (index < this.#last) this.outOfOrder += 1;
    this.#last = Math.max(this.#last, index);
    if (this.#hasRoom) this.#wake?.();
  }

  async room(): Promise<void> {
    while (!this.#hasRoom) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  get #hasRoom(): boolean {
    return this.#sent - this.#arrived < UNDELIVERED_MAX;
  }
}

/** A million items, or so many, from sets to a stream, with everything going wrong on the way. */
export async function endure(options: EnduranceOptions): Promise<EnduranceReport> {
  await using server = await ServerProcess.start();
  await run(server.port, { ...options, items: WARM_UP_ITEMS, onProgress: () => undefined });
  const heapBefore = await stableHeapBytes();
  const before = await server.stats();
  const startedAt = performance.now();
  const outcome = await run(server.port, options);
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await server.stats();
  const heapGrowthBytes = (await stableHeapBytes()) - heapBefore;
  return {
    items: options.items,
    seed: options.seed,
    ...outcome,
    stored: after.itemsSet - before.itemsSet,
    requests: after.requests - before.requests,
    logins: after.logins - before.logins,
    seconds,
    heapGrowthBytes,
  };
}

type Outcome = Pick<
  EnduranceReport,
  "lost" | "twice" | "outOfOrder" | "foreign" | "gaps" | "failedSets" | "faults"
>;

async function run(port: number, options: EnduranceOptions): Promise<Outcome> {
  const { items, seed, faultShare = 0.03, onProgress } = options;
  const { plan, counts } = mixedFaults({ seed, share: faultShare });
  await using proxy = await FaultProxy.before(port);
  await using client = new XrtcClient({
    ...credentials,
    baseUrl: `${proxy.origin}/v1`,
    limits: {
      loginIntervalMsMin: 0,
      requestsPerSecondMax: 1_000_000,
      // Many requests rather than few large ones: it is they that go wrong.
      requestItemsMax: 40,
      getTimeoutMs: GET_TIMEOUT_MS,
    },
    attemptsMax: 60,
    // With something wrong all the time, what waits in the queue waits for long.
    retryMsMax: RETRY_MS_MAX,
    ports: { clock: scaledClock(TIME_FACTOR) },
  });
  const share = Math.ceil(items / PORTALS.length);
  const ledgers = new Map(PORTALS.map((id) => [id as string, new Ledger(id, share)]));
  const gaps: Gap[] = [];
  const failedSets: Error[] = [];
  const subscription = client.subscribe({
    // What was set by a run before belongs to that run.
    start: "new",
    portals: PORTALS,
    onGap: (gap) => gaps.push(gap),
  });
  await subscription.ready();
  proxy.plan = plan;
  const next = seededRandom(seed);
  const sending = Promise.all(
    [...ledgers.values()].map((ledger) => send(client, ledger, next, failedSets)),
  );
  const receiving = (async () => {
    let received = 0;
    for await (const { portalId, payload } of subscription) {
      ledgers.get(portalId)?.accept(payload);
      received += 1;
      if (received % 10_000 === 0) onProgress?.(received);
      if ([...ledgers.values()].every(({ isComplete }) => isComplete)) return;
      // What failed will never arrive: there is nothing to wait for.
      if (failedSets.length > 0 || gaps.length > 0) return;
    }
  })();
  await receiving;
  if (failedSets.length > 0 || gaps.length > 0) await client.close();
  await sending;
  const sum = (of: (ledger: Ledger) => number): number =>
    [...ledgers.values()].reduce((total, ledger) => total + of(ledger), 0);
  return {
    lost: sum(({ lost }) => lost),
    twice: sum(({ twice }) => twice),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    foreign: sum(({ foreign }) => foreign),
    gaps,
    failedSets,
    faults: Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Sends a portal's items in order, in calls of all sizes, without waiting for each of them. */
async function send(
  client: XrtcClient,
  ledger: Ledger,
  next: () => number,
  failed: Error[],
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (;;) {
    await ledger.room();
    const items = ledger.next(oneOf(next, [1, 1, 1, 5, 1 + wholeBelow(next, 40)]));
    if (items.length === 0 || failed.length > 0) break;
    const setting: Promise<void> = client
      .setItems(items)
      .then(
        () => undefined,
        (error: unknown) => void failed.push(error as Error),
      )
      .finally(() => underWay.delete(setting));
    underWay.add(setting);
    if (underWay.size >= 400) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    readonly port: number,
  ) {
    this.#child = child;
  }

  static async start(): Promise<ServerProcess> {
    const child = fork(
      join(__dirname, "endurance-server.ts"),
      [TIME_FACTOR, GET_TIMEOUT_MS, RETRY_MS_MAX].map(String),
      {
        execArgv: ["--import", "tsx"],
      },
    );
    const ended = once(child, "exit").then(() => assert.fail("the server did not start"));
    const [{ port }] = (await Promise.race([once(child, "message"), ended])) as [{ port: number }];
    return new ServerProcess(child, port);
  }

  async stats(): Promise<ServerStats> {
    this.#child.send("stats");
    const [{ stats }] = (await once(this.#child, "message")) as [{ stats: ServerStats }];
    return stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}
