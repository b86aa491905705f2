import { createHash } from "node:crypto";
import type { Item } from "../protocol/item.js";

/** Items remembered per portal: several times what a ring of the hosted service is taken to hold. */
const ITEMS_MAX = 1_024;
/** Characters up to which a payload is its own fingerprint. */
const PLAIN_LENGTH_MAX = 64;

/**
 * What was delivered lately, where the server numbers nothing: an item that comes again is known by timestamp, payload
 * and count. The n-th equal item is a repeat only if n were delivered before, so that two real equal ones both pass.
 */
export class DeliveredHistory {
  readonly #order: string[] = [];
  readonly #delivered = new Map<string, number>();
  #replayed = new Map<string, number>();
  #newest: string | undefined;
  #hasSeenNewest = true;

  /** Whether the replay, if there is one, has come to the item that was delivered last. */
  get hasSeenNewest(): boolean {
    return this.#hasSeenNewest;
  }

  add(item: Item): void {
    const key = fingerprint(item);
    this.#order.push(key);
    this.#newest = key;
    this.#hasSeenNewest = true;
    change(this.#delivered, key, 1);
    // What comes for the first time during a replay must not be taken for its own repeat.
    change(this.#replayed, key, 1);
    if (this.#order.length > ITEMS_MAX) change(this.#delivered, this.#order.shift() as string, -1);
  }

  /** An answer begins that may bring everything again. */
  replay(): void {
    this.#replayed = new Map();
    this.#hasSeenNewest = this.#newest === undefined;
  }

  /** Whether the item is one that was delivered; each delivered one accounts for one repeat. */
  takeRepeat(item: Item): boolean {
    const key = fingerprint(item);
    const replayed = this.#replayed.get(key) ?? 0;
    const delivered = this.#delivered.get(key) ?? 0;
    if (replayed >= delivered) return false;
    this.#replayed.set(key, replayed + 1);
    if (key === this.#newest && replayed + 1 === delivered) this.#hasSeenNewest = true;
    return true;
  }

  /** Nothing comes again any more. */
  endReplay(): void {
    this.#replayed = new Map();
    this.#hasSeenNewest = true;
  }
}

function fingerprint({ serverTimestamp, payload, seq }: Item): string {
  if (seq !== undefined) return `#${seq}`;
  if (payload.length <= PLAIN_LENGTH_MAX) return `${serverTimestamp}=${payload}`;
  return `${serverTimestamp}:${createHash("sha256").update(payload).digest("base64")}`;
}

function change(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
