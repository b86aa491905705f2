/** How a set was decided, out of its script's words. Pure. */

import type { Bounds } from "../../bounds.js";
import { invalidArguments, systemError } from "../../wire-error.js";
import type { SetOutcome } from "../backend.js";
import type { ItemStamp } from "./item-reader.js";
import { decodeRefusal } from "./refusal-text.js";
import { listOf, numberAt, type Reply, textAt } from "./reply.js";
import type { PreparedSet } from "./set-request.js";

/** The outcome, or that the sets before it have to come first. */
export function outcomeOf(reply: Reply, bounds: Bounds): SetOutcome | "early" {
  const kind = textAt(reply, 0);
  switch (kind) {
    case "applied":
    case "repeat": {
      const [serverTimestamp, itemCount] = [numberAt(reply, 1), numberAt(reply, 2)];
      return { kind: "applied", serverTimestamp, itemCount, isRepeat: kind === "repeat" };
    }
    case "refused":
      return { kind: "refused", error: decodeRefusal(textAt(reply, 1)) };
    case "conflict":
      return { kind: "refused", error: keyConflict() };
    case "producers":
      return { kind: "refused", error: tooManyProducers(bounds.producersPerSessionMax) };
    case "early":
    case "late":
    case "past":
      return kind === "early" ? kind : { kind };
    default:
      throw new Error("Redis answered a set with a word that is not known");
  }
}

/** Items that rings let go of before their time for this set. */
export const overrunOf = (reply: Reply): number =>
  reply[0] === "applied" ? numberAt(reply, 3) : 0;

/** The numbers of the items of a set that was applied, in their order. */
export function stampsOf(reply: Reply, { portalIds, payloads }: PreparedSet): ItemStamp[] {
  const [serverTimestamp, arrivedAt] = [numberAt(reply, 1), numberAt(reply, 4)];
  let order = numberAt(reply, 5);
  const firsts = listOf(reply[6]);
  const sequences = portalIds.map((_, place) => numberAt(firsts, place));
  return payloads.map(({ portal }) => {
    const sequence = sequences[portal] ?? 0;
    sequences[portal] = sequence + 1;
    const portalId = portalIds[portal] ?? "";
    const stamp = { portalId, sequence, order, serverTimestamp, arrivedAt };
    order += 1;
    return stamp;
  });
}

const keyConflict = () => invalidArguments("Idempotency-Key: this key was used with another body");

const tooManyProducers = (count: number) =>
  systemError(400, `sets of ${count} producers of this session wait for the ones before them`);
