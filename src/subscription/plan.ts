/** Which portals are read together, and how. Pure. */

import type { Mode, Schedule } from "../protocol/item.js";

export interface Reading {
  readonly mode: Exclude<Mode, "probe">;
  readonly schedule: Schedule;
  readonly cutoffMs: number;
}

/** What serves everybody when they differ: in order and whole; each one's own wishes are applied on our side. */
const COMMON: Reading = { mode: "stream", schedule: "FIFO", cutoffMs: -1 };

/** How a portal is read for all who want it: each portal is read by exactly one upstream. */
export function readingFor(wishes: readonly Reading[]): Reading {
  const [first] = wishes;
  if (first === undefined) return COMMON;
  const { mode, schedule, cutoffMs } = first;
  const agreed = wishes.every((wish) => wish.schedule === schedule && wish.cutoffMs === cutoffMs);
  if (!agreed) return COMMON;
  return { mode: wishes.every((wish) => wish.mode === mode) ? mode : "stream", schedule, cutoffMs };
}

/** Portals of equal parameters share an upstream. */
export const readingKey = ({ mode, schedule, cutoffMs }: Reading): string =>
  `${mode}/${schedule}/${cutoffMs}`;
