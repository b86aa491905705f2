/** A set in the words of its script. Pure but for the hash. */

import { createHash } from "node:crypto";
import { checkFits, portalIdsOf } from "../../engine/new-items.js";
import type { ServerSettings } from "../../options.js";
import { invalidArguments, WireError } from "../../wire-error.js";
import type { SetWish } from "../backend.js";
import { encodeRefusal } from "./refusal-text.js";

export type SetSettings = Pick<ServerSettings, "limits" | "bounds" | "extensions">;

/** A set whose body was read. */
export interface PreparedSet {
  readonly portalIds: readonly string[];
  /** `portal`: its place among the portals, from 0. */
  readonly payloads: readonly { readonly portal: number; readonly json: string }[];
  /** Why its content is refused; then it has none. */
  readonly refusal: WireError | undefined;
}

/**
 * Reads the body, before it is known whether it is this set's turn: the script that finds out decides it as well, and a
 * repeat of what was read before is read alike.
 */
export function prepare(wish: SetWish, { limits, extensions }: SetSettings): PreparedSet {
  try {
    const items = wish.items();
    for (const item of items) checkFits(item, limits.lineBytesMax, extensions.has("seq"));
    const portalIds = portalIdsOf(items);
    const places = new Map(portalIds.map((portalId, place) => [portalId, place]));
    const payloads = items.map(({ portalId, payload }) => ({
      portal: places.get(portalId) ?? 0,
      // As JSON, so that nobody has to escape it again, and half a surrogate pair comes through.
      json: JSON.stringify(payload),
    }));
    return { portalIds, payloads, refusal: undefined };
  } catch (error) {
    if (!(error instanceof WireError) || error.status !== 400) throw error;
    return { portalIds: [], payloads: [], refusal: error };
  }
}

/** What the script is told; its comment says what each is. */
export function setArguments(
  session: string,
  wish: SetWish,
  set: PreparedSet,
  { limits, bounds }: SetSettings,
): (string | number)[] {
  const { order, idempotencyKey } = wish;
  return [
    ...[session, order?.producer ?? "", order?.number ?? 0],
    ...[idempotencyKey ?? "", idempotencyKey === undefined ? "" : digestOf(wish.fingerprint())],
    ...[bounds.idempotencyMs, bounds.idempotencyKeysMax],
    ...[set.refusal === undefined ? "" : encodeRefusal(set.refusal)],
    ...[tooManyPortals(limits.portalsMax)],
    ...[limits.portalsMax, limits.ringItemsMax, limits.itemAgeMsMax],
    ...[bounds.producersPerSessionMax, bounds.earlySetWaitMs],
    ...[set.portalIds.length, ...set.portalIds],
    ...set.payloads.flatMap(({ portal, json }) => [portal + 1, json]),
  ];
}

/** Short, as there are many of them: 128 bits. */
const digestOf = (fingerprint: string): string =>
  createHash("sha256").update(fingerprint).digest("base64url").slice(0, 22);

let lastRefusal = { portalsMax: 0, text: "" };

/** The same with each set: to make an error each time takes longer than all that is written here. */
function tooManyPortals(portalsMax: number): string {
  if (lastRefusal.portalsMax !== portalsMax) {
    const error = invalidArguments(`an account has at most ${portalsMax} portals`);
    lastRefusal = { portalsMax, text: encodeRefusal(error) };
  }
  return lastRefusal.text;
}
