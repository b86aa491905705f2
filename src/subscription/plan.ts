/** Which portals are read together, and how. Pure. */

import type { Mode, Schedule } from "../protocol/item.js";

export interface Reading {
  readonly mode: Mode;
  readonly schedule: Schedule;
  readonly cutoffMs: number;
  /** For the mode `probe`: milliseconds from one to the next. */
  readonly probeMs?: number | undefined;
}

/** What serves everybody when they differ: in order and whole; each one's own wishes are applied on our side. */
const COMMON: Reading = { mode: "stream", schedule: "FIFO", cutoffMs: -1 };

/** How a portal is read for all who want it: each portal is read by exactly one upstream. */
export function readingFor(wishes: readonly Reading[]): Reading {
  const [first] = wishes;
  if (first === undefined) return COMMON;
  const { schedule, cutoffMs } = first;
  const agreed = wishes.every((wish) => wish.schedule === schedule && wish.cutoffMs === cutoffMs);
  return agreed ? { ...pacingFor(first, wishes), schedule, cutoffMs } : COMMON;
}

/** The mode that all have in common, else the one that brings everything at once; the shortest way between probes. */
function pacingFor(
  { mode }: Reading,
  wishes: readonly Reading[],
): Pick<Reading, "mode" | "probeMs"> {
  if (wishes.some((wish) => wish.mode !== mode)) return { mode: "stream" };
  if (mode !== "probe") return { mode };
  return { mode, probeMs: Math.min(...wishes.map(({ probeMs }) => probeMs ?? Infinity)) };
}

/** Portals of equal parameters share an upstream. */
export const readingKey = ({ mode, schedule, cutoffMs, probeMs }: Reading): string =>
  `${mode}/${schedule}/${cutoffMs}/${probeMs}`;
