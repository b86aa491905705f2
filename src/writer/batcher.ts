/** Which of the queued writes go into the next request. Pure. */

import { SET_OVERHEAD_BYTES } from "../protocol/codec.js";

/** What was written by one call: it is set whole or not at all. */
export interface Parcel {
  /** Its items as they stand on the wire. */
  readonly encodedItems: readonly string[];
  /** Bytes of the items and of the commas between them. */
  readonly bytes: number;
}

export interface BatchLimits {
  /** Bytes that a batch may have before it closes; a single parcel may be larger. */
  readonly batchBytesMax: number;
  /** Items that a batch may have before it closes; a single parcel may have more. */
  readonly batchItemsMax: number;
}

/** The parcel's bytes, and those of the commas between its items. */
export const parcelBytes = (encodedItems: readonly string[]): number =>
  encodedItems.reduce((sum, item) => sum + Buffer.byteLength(item), encodedItems.length - 1);

/** Bytes of the request that a parcel alone makes. */
export const requestBytes = (parcel: Parcel): number => SET_OVERHEAD_BYTES + parcel.bytes;

/** How many parcels, from the first of the queue on, make the next batch: at least one where there is one. */
export function batchLength(queue: Iterable<Parcel>, limits: BatchLimits): number {
  let count = 0;
  let bytes = SET_OVERHEAD_BYTES - 1;
  let items = 0;
  for (const parcel of queue) {
    bytes += parcel.bytes + 1;
    items += parcel.encodedItems.length;
    if (count > 0 && (bytes > limits.batchBytesMax || items > limits.batchItemsMax)) break;
    count += 1;
  }
  return count;
}
