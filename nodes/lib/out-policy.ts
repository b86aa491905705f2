/** What becomes of messages that wait: how long each lives, how many there are, which ones a newer one replaces. Pure. */

import { type NewItem, type SetItemsOptions } from "../../src/index.js";
import type { OutSettings } from "./settings/out.js";

export interface OutPolicy extends Pick<OutSettings, "delivery" | "queueMax"> {
  /** Milliseconds that a message may wait from its arrival on; undefined for as long as the configuration says. */
  readonly ttlMs: number | undefined;
}

/** Steps in which the rest of a life is told to a client: writes of different lives do not share a request. */
const LIFE_STEPS = 32;
const LIFE_STEP_MS_MIN = 100;

/** For a node whose settings cannot be read: it refuses every message anyway. */
export const DEFAULT_POLICY: OutPolicy = { delivery: "every", queueMax: 1, ttlMs: undefined };

export const policyOf = ({ delivery, queueMax, ttlSeconds }: OutSettings): OutPolicy => ({
  delivery,
  queueMax,
  ttlMs: ttlSeconds === null ? undefined : ttlSeconds * 1_000,
});

/** What the policy means to a client. */
export const setOptionsOf = ({ delivery }: OutPolicy, owner: string): SetItemsOptions => ({
  level: delivery === "once" ? "atMostOnce" : "atLeastOnce",
  queue: delivery === "latest" ? "latestOnly" : "reject",
  owner,
});

/** Milliseconds that are left of a life, up to a step more; 0 when it is over. */
export function lifeLeftMs(ttlMs: number, waitedMs: number): number {
  const left = ttlMs - waitedMs;
  if (left <= 0) return 0;
  const step = Math.max(LIFE_STEP_MS_MIN, ttlMs / LIFE_STEPS);
  return Math.min(ttlMs, Math.ceil(left / step) * step);
}

/** Whether newer items leave nothing of older ones that anybody would miss who wants the latest of each portal. */
export function replaces(newer: readonly NewItem[], older: readonly NewItem[]): boolean {
  const portalIds = new Set(newer.map(({ portalId }) => portalId));
  return older.every(({ portalId }) => portalIds.has(portalId));
}
