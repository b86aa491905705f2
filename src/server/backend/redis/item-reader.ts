import type { Limits } from "../../../protocol/limits.js";
import { encodeReceivedText } from "../../../protocol/codec.js";
import type { PortalPage, PortalQuery } from "../../engine/engine.js";
import { LineCache } from "../../engine/line-cache.js";
import type { StoredItem } from "../../engine/stored-item.js";
import type { Connection } from "./connection.js";
import type { EngineClock } from "./engine-clock.js";
import { listOf, numberAt, type Reply, textAt } from "./reply.js";
import { LATEST, READ } from "./scripts/read.js";

/**
 * A newest-first line passes over large items: some more than a line's worth is read for it. What lies further back may
 * be skipped by right.
 */
const LIFO_MARGIN = 2;

export interface ItemReaderOptions {
  readonly connection: Connection;
  readonly clock: EngineClock;
  readonly limits: Limits;
  /** Whether items bear their sequence number on the wire. */
  readonly withSequence: boolean;
}

/** Where an item has its numbers from, as the set's script gave them. */
export interface ItemStamp {
  readonly portalId: string;
  readonly sequence: number;
  readonly order: number;
  readonly serverTimestamp: number;
  /** Redis' time of its arrival. */
  readonly arrivedAt: number;
}

/** Reads items out of Redis, and gives them the form in which they are handed on. */
export class ItemReader {
  readonly #options: ItemReaderOptions;

  constructor(options: ItemReaderOptions) {
    this.#options = options;
  }

  /** A page for each query, with all that their next line may need. They are copies. */
  async read(base: string, queries: readonly PortalQuery[]): Promise<readonly PortalPage[]> {
    const { connection, clock, limits } = this.#options;
    const isNewestFirst = queries.some(({ schedule }) => schedule === "LIFO");
    const margin = isNewestFirst ? LIFO_MARGIN : 1;
    const args = queries.flatMap(
      ({ portalId, afterSequence, fromTimestamp, cutoffMs, schedule }) => [
        ...[portalId, afterSequence, Math.max(0, fromTimestamp ?? 0), cutoffMs, schedule],
      ],
    );
    const [items, bytes] = [limits.lineItemsMax * margin, limits.lineBytesMax * margin];
    const reply = listOf(
      await connection.run(READ, base, [items, bytes, limits.itemAgeMsMax, ...args]),
    );
    clock.observe(numberAt(reply, 0));
    return queries.map((query, index) => this.#page(query, listOf(reply[index + 1])));
  }

  /** The latest item of every portal, newest first. */
  async latest(base: string): Promise<readonly StoredItem[]> {
    const { connection, clock, limits } = this.#options;
    const reply = listOf(await connection.run(LATEST, base, [limits.itemAgeMsMax]));
    clock.observe(numberAt(reply, 0));
    const items: StoredItem[] = [];
    for (let at = 1; at < reply.length; at += 4) {
      const [portalId, sequence] = [textAt(reply, at), numberAt(reply, at + 1)];
      items.push(this.#item(portalId, sequence, reply, at + 2));
    }
    return items.toSorted((a, b) => b.order - a.order);
  }

  /** An item as it is handed on. */
  item(stamp: ItemStamp, payloadJson: string): StoredItem {
    const { portalId, sequence, order, serverTimestamp, arrivedAt } = stamp;
    const seq = this.#options.withSequence ? sequence : undefined;
    const encoded = encodeReceivedText(portalId, payloadJson, serverTimestamp, seq);
    const storedAtMs = this.#options.clock.local(arrivedAt);
    const bytes = Buffer.byteLength(encoded);
    return { portalId, sequence, order, serverTimestamp, storedAtMs, encoded, bytes };
  }

  #page({ portalId, schedule }: PortalQuery, reply: Reply): PortalPage {
    const [newestSequence, firstSequence] = [numberAt(reply, 0), numberAt(reply, 1)];
    const texts = listOf(reply[2]);
    const count = texts.length / 2;
    const items: StoredItem[] = [];
    const start =
      schedule === "FIFO" && count > 0 ? numberAt(reply, 3) : newestSequence - count + 1;
    for (let index = 0; index < count; index += 1) {
      const at = schedule === "FIFO" ? index : count - 1 - index;
      items.push(this.#item(portalId, start + index, texts, at * 2));
    }
    return {
      portalId,
      length: count,
      at: (index) => {
        const item = items[index];
        if (item === undefined) throw new RangeError(`no item at ${index}`);
        return item;
      },
      newestSequence,
      firstSequence,
      lines: new LineCache(),
    };
  }

  #item(portalId: string, sequence: number, reply: Reply, at: number): StoredItem {
    const [serverTimestamp, arrivedAt, order] = textAt(reply, at).split(" ").map(Number);
    if (serverTimestamp === undefined || arrivedAt === undefined || order === undefined) {
      throw new Error("Redis holds an item without its numbers");
    }
    const stamp = { portalId, sequence, order, serverTimestamp, arrivedAt };
    return this.item(stamp, textAt(reply, at + 1));
  }
}
