/** What every engine asks of items before it stores them. Pure. */

import { encodeReceivedItem } from "../../protocol/codec.js";
import type { NewItem } from "../../protocol/item.js";
import { LINE_OVERHEAD_BYTES } from "../../protocol/server-codec.js";
import { refusal } from "../wire-error.js";

/**
 * Refuses what no line could ever hold, reckoned with the longest numbers, so that the bound does not move.
 *
 * @throws WireError with code 20
 */
export function checkFits(item: NewItem, lineBytesMax: number, withSequence: boolean): void {
  const room = lineBytesMax - LINE_OVERHEAD_BYTES;
  // No character takes more than 6 bytes (\u0000): a short payload need not be measured.
  if (item.payload.length * 6 + NUMBERS_BYTES <= room) return;
  const widest = { ...item, serverTimestamp: WIDEST_TIMESTAMP, seq: Number.MAX_SAFE_INTEGER };
  if (Buffer.byteLength(encodeReceivedItem(widest, withSequence)) <= room) return;
  throw refusal(
    "application",
    "INPUT_BINARYJSON_PARSE_FAIL",
    `an item is too large: an answer has at most ${lineBytesMax} bytes`,
  );
}

const WIDEST_TIMESTAMP = 9_999_999_999_999;
const NUMBERS_BYTES = 160;

/** The portals that a set touches, each once. */
export function portalIdsOf(items: readonly NewItem[]): readonly string[] {
  const [first] = items;
  if (items.length === 1 && first !== undefined) return [first.portalId];
  return [...new Set(items.map(({ portalId }) => portalId))];
}
