/** What is done with a contender: items at a steady pace, or as many as it takes. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contenders/contender.js";
import { quantile } from "./statistics.js";
import type { Tally } from "./tally.js";

export type Phase =
  | {
      readonly kind: "latency";
      readonly name: string;
      readonly perSecond: number;
      readonly seconds: number;
    }
  | { readonly kind: "rate"; readonly name: string; readonly seconds: number };

/** What a phase brought, by the names of its figures. */
export type Figures = Readonly<Record<string, number>>;

/** Milliseconds that the last items may take after the last was sent. */
const DRAIN_MS_MAX = 10_000;

/** Runs a phase, and waits for what it sent. */
export async function runPhase(phase: Phase, contender: Contender, tally: Tally): Promise<Figures> {
  if (phase.kind === "latency") return latency(phase, contender, tally);
  return rate(phase, contender, tally);
}

async function latency(
  { name, perSecond, seconds }: Extract<Phase, { kind: "latency" }>,
  contender: Contender,
  tally: Tally,
): Promise<Figures> {
  const first = tally.sent;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    // A timer has a grain of a millisecond: the pace holds on the whole, as a sender's does.
    for (;;) {
      const early = startedAt + (sent * 1_000) / perSecond - performance.now();
      if (early <= 0) break;
      await sleep(Math.max(1, Math.floor(early)));
    }
    send(contender, tally);
  }
  await drained(tally);
  const latencies = tally.latenciesFrom(first);
  return {
    [`${name} p50`]: quantile(latencies, 0.5),
    [`${name} p99`]: quantile(latencies, 0.99),
    [`${name}, µs an item`]: cpuSince(cpuBefore) / (tally.sent - first),
  };
}

/** As many as are acknowledged and received, with so many under way that neither side waits for the other. */
async function rate(
  { name, seconds }: Extract<Phase, { kind: "rate" }>,
  contender: Contender,
  tally: Tally,
): Promise<Figures> {
  const first = tally.received;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let filling = false;
  let over = false;
  const fill = (): void => {
    if (filling || over) return;
    filling = true;
    while (
      tally.unconfirmed < contender.unconfirmedMax &&
      tally.unreceived < contender.unreceivedMax
    ) {
      send(contender, tally);
    }
    filling = false;
  };
  tally.onChange = fill;
  fill();
  await sleep(seconds * 1_000);
  over = true;
  await drained(tally);
  const items = tally.received - first;
  return {
    [name]: (items * 1_000) / (performance.now() - startedAt),
    [`${name}, µs an item`]: cpuSince(cpuBefore) / items,
  };
}

/** Microseconds of CPU time that this process has used since. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function send(contender: Contender, tally: Tally): void {
  contender.send(tally.next()).then(tally.acknowledge, tally.fail);
}

/** Resolves when everything was received and answered, or when it is too late for that. */
async function drained(tally: Tally): Promise<void> {
  const isDone = (): boolean => tally.unreceived <= 0 && tally.unconfirmed === 0;
  const late = new AbortController();
  const done = new Promise<void>((resolve) => {
    tally.onChange = () => {
      if (isDone()) resolve();
    };
    tally.onChange();
  });
  const timeout = sleep(DRAIN_MS_MAX, undefined, { signal: late.signal }).catch(() => undefined);
  await Promise.race([done, timeout]);
  late.abort();
  tally.onChange = () => undefined;
}
