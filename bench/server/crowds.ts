/** Readers that wait, and one item to many of them. */

import type { Memory } from "../processes/memory.js";
import type { CrowdQuestion } from "../processes/readers.js";
import { PAYLOAD_BYTES } from "../plan.js";
import { start, type Listening } from "../processes.js";
import { quantile } from "../statistics.js";
import type { CrowdAnswer, CrowdTask } from "../wire/crowd.js";
import type { ProtocolName } from "../wire/protocols.js";
import type { ServerEntry } from "./plan.js";
import type { Found, Stage } from "./run.js";

const QUESTION_MS_MAX = 90_000;
/** Items before any that is timed, so that both sides' code is warm. */
const WARM_UP_ITEMS = 2_000;
/** Deliveries of it: with many readers a few items are enough. */
const WARM_UP_DELIVERIES = 20_000;
/** Readers that come and go before those that count, so many at a time and so often. */
const FIRST_READERS = 200;
const FIRST_TIMES = 10;
/** Items that wake all who wait. */
const WAKING_ITEMS = 3;

type Ask = (question: CrowdQuestion) => Promise<CrowdAnswer>;

async function crowdOf(stage: Stage, port: number, protocol: ProtocolName): Promise<Ask> {
  const given: CrowdTask = { port, protocol, payloadBytes: PAYLOAD_BYTES };
  const readers = stage.add(start("readers", given));
  await readers.next(QUESTION_MS_MAX);
  return (question) => readers.ask(question, QUESTION_MS_MAX);
}

const memoryOf = (server: Listening): Promise<Memory> => server.ask({}, QUESTION_MS_MAX);

/** What each reader that waits takes up, and how soon one item has reached them all. */
export async function waiting(
  { server: choice, protocol, readers }: Extract<ServerEntry, { section: "waiting" }>,
  stage: Stage,
): Promise<Found> {
  const { server, port } = await stage.serve(choice);
  const ask = await crowdOf(stage, port, protocol);
  // What a process takes up once and for all is there after the first readers have gone.
  for (let time = 0; time < FIRST_TIMES; time += 1) {
    await ask({ kind: "open", count: FIRST_READERS });
    await ask({ kind: "send", count: 1 });
  }
  await ask({ kind: "open", count: 1 });
  const before = await memoryOf(server);
  await ask({ kind: "open", count: readers + 1 });
  const held = await memoryOf(server);
  const { lastMs, deliveries: items, faults } = await ask({ kind: "send", count: WAKING_ITEMS });
  const after = await memoryOf(server);
  const each = (name: keyof Memory, memory: Memory): number =>
    (memory[name] - before[name]) / readers / 1_000;
  const figures = {
    readers,
    "heap, kB": each("heapUsed", held),
    "resident, kB": each("settled", held),
    "resident after an item, kB": each("settled", after),
    "whole process, MB": held.rss / 1_000_000,
    "last served, ms": quantile(lastMs, 0.5),
  };
  return { figures, items, faults };
}

/** How soon one item has reached the last of its readers. */
export async function fanOut(
  { server: choice, protocol, steps }: Extract<ServerEntry, { section: "fan-out" }>,
  stage: Stage,
): Promise<Found> {
  const served = await stage.serve(choice);
  const ask = await crowdOf(stage, served.port, protocol);
  const figures: Record<string, number> = {};
  let last: CrowdAnswer | undefined;
  for (const { readers, items } of steps) {
    await ask({ kind: "open", count: readers });
    const warmUp = Math.ceil(Math.min(WARM_UP_ITEMS, WARM_UP_DELIVERIES / readers));
    await ask({ kind: "send", count: warmUp });
    const cpuBefore = served.cpuMicros();
    last = await ask({ kind: "send", count: items });
    const cpu = served.cpuMicros() - cpuBefore;
    const name = `${readers.toLocaleString("en-US")} ${readers === 1 ? "reader" : "readers"}`;
    figures[`${name}, p50`] = quantile(last.lastMs, 0.5);
    figures[`${name}, µs a delivery`] = cpu / items / readers;
  }
  if (last === undefined) throw new Error("there is nothing to measure");
  return { figures, items: last.deliveries, faults: last.faults };
}
