/** Whether an item costs more with more portals, readers that it does not concern, or items that wait. */

import { PAYLOAD_BYTES } from "../plan.js";
import type { GrowthQuestion, GrowthTask } from "../processes/growth.js";
import { start } from "../processes.js";
import { median } from "../statistics.js";
import type { ServerEntry } from "./plan.js";
import type { Found, Served, Stage } from "./run.js";

const QUESTION_MS_MAX = 60_000;

interface Slice {
  readonly name: string;
  readonly items: number;
  readonly itemsPerRequest: number;
  readonly requestsMax: number;
}

/** Single items, whose cost is that of a request, and full requests, whose cost is that of the items. */
const SLICES: readonly Slice[] = [
  { name: "1 a request", items: 2_000, itemsPerRequest: 1, requestsMax: 32 },
  { name: "100 a request", items: 20_000, itemsPerRequest: 100, requestsMax: 4 },
];

/** Slices before those that count, so that the code is warm. */
const WARM_UP_SLICES = 3;

type Sides = readonly [without: Served, with_: Served];

export async function growth(
  { server, without, load, keptItems, slices }: Extract<ServerEntry, { section: "growth" }>,
  stage: Stage,
): Promise<Found> {
  const sides = [await stage.serve(without), await stage.serve(server)] as const;
  const [one, other] = sides;
  const ports = [one.port, other.port] as const;
  const given: GrowthTask = { ports, load, keptItems, payloadBytes: PAYLOAD_BYTES };
  const child = stage.add(start("growth", given));
  await child.next(QUESTION_MS_MAX);
  const figures: Record<string, number> = {};
  let items = 0;
  for (const slice of SLICES) {
    const ask = (question: GrowthQuestion): Promise<unknown> =>
      child.ask(question, QUESTION_MS_MAX);
    const pairs: (readonly [without: number, with_: number])[] = [];
    for (let count = 0; count < slices + WARM_UP_SLICES; count += 1) {
      pairs.push(await pairOf(ask, sides, slice, count));
      items += 2 * slice.items;
    }
    const told = pairs.slice(WARM_UP_SLICES);
    figures[`${slice.name}, without, µs`] = median(told.map(([cost]) => cost));
    figures[`${slice.name}, with, µs`] = median(told.map(([, cost]) => cost));
    figures[`${slice.name}, growth`] = median(told.map(([before, after]) => after / before));
  }
  return { figures, items, faults: { lost: 0, repeated: 0, disordered: 0, failed: 0 } };
}

/** The cost of an item on each side, one after the other; which of them is first changes with each pair. */
async function pairOf(
  ask: (question: GrowthQuestion) => Promise<unknown>,
  sides: Sides,
  { items, itemsPerRequest, requestsMax }: Slice,
  count: number,
): Promise<readonly [without: number, with_: number]> {
  const cost = async (at: 0 | 1): Promise<number> => {
    const before = sides[at].cpuMicros();
    await ask({ at, items, itemsPerRequest, requestsMax });
    return (sides[at].cpuMicros() - before) / items;
  };
  if (count % 2 === 1) {
    const after = await cost(1);
    return [await cost(0), after];
  }
  return [await cost(0), await cost(1)];
}
