/** Writes that wait, bounded, in order, under the policies of their owners. Pure. */

import { XrtcError } from "../errors.js";
import type { BatchLimits, Parcel } from "./batcher.js";
import { batchLength } from "./batcher.js";
import type { WritePolicy } from "./policy.js";

export interface Write extends Parcel {
  readonly policy: WritePolicy;
  /** The portals of its items. */
  readonly portalIds: readonly string[];
  readonly queuedAt: number;
  /** Its caller gave it up, or has been answered. */
  settled: boolean;
  /** Kept by the queue: whether the write waits in it. */
  isQueued: boolean;
}

export interface QueueLimits {
  /** Writes that may wait. */
  readonly queueCountMax: number;
  /** Bytes that may wait. */
  readonly queueBytesMax: number;
}

export interface Refusal<W extends Write> {
  readonly write: W;
  readonly error: XrtcError;
}

const NONE: readonly [] = [];

export class WriteQueue<W extends Write> {
  readonly #limits: QueueLimits;
  #writes: W[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;
  /** The writes, oldest first, of each owner that ever had a policy which looks at them: the others need no such list. */
  readonly #owned = new Map<string, Set<W>>();

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the write came that waits longest (monotonic ms). */
  get oldestAt(): number | undefined {
    return this.#peek()?.queuedAt;
  }

  /** Takes a write in. @returns the writes that had to go for it, itself among them when there is no room */
  push(write: W): readonly Refusal<W>[] {
    const own = this.#ownedBy(write.policy);
    const refusals = own === undefined ? NONE : this.#makeRoom(write, own);
    if (this.#isFullFor(write)) {
      return [...refusals, { write, error: this.#refusal("XRTC_QUEUE_FULL") }];
    }
    this.#writes.push(write);
    if (this.#writes.length - this.#head > 2 * this.#count + 1_024) this.#compact();
    this.#count += 1;
    this.#bytes += write.bytes;
    write.isQueued = true;
    own?.add(write);
    return refusals;
  }

  /** Lets go of what the write's policy gives up for it. */
  #makeRoom(write: W, own: ReadonlySet<W>): readonly Refusal<W>[] {
    const refusals: Refusal<W>[] = [];
    const drop = (dropped: W, code: "XRTC_QUEUE_FULL" | "XRTC_SUPERSEDED"): void => {
      this.remove(dropped);
      refusals.push({ write: dropped, error: this.#refusal(code) });
    };
    if (write.policy.queue === "latestOnly") {
      for (const older of own) {
        if (older.portalIds.every((id) => write.portalIds.includes(id)))
          drop(older, "XRTC_SUPERSEDED");
      }
    }
    if (write.policy.queue === "dropOldest") {
      for (const oldest of own) {
        if (!this.#isFullFor(write)) break;
        drop(oldest, "XRTC_QUEUE_FULL");
      }
    }
    return refusals;
  }

  /** The writes of the next batch: alike in delivery level, because a batch is sent again whole or not at all. */
  takeBatch(limits: BatchLimits): W[] {
    const first = this.#peek();
    if (first === undefined) return [];
    const count = batchLength(this.#alike(first), limits);
    const batch: W[] = [];
    while (batch.length < count) {
      const write = this.#peek();
      if (write === undefined) break;
      batch.push(write);
      this.remove(write);
    }
    return batch;
  }

  /** Takes a write out, wherever it stands. */
  remove(write: W): void {
    if (!write.isQueued) return;
    write.isQueued = false;
    this.#owned.get(write.policy.owner)?.delete(write);
    this.#count -= 1;
    this.#bytes -= write.bytes;
    if (this.#writes[this.#head] === write) this.#skip();
  }

  /** Takes those out whose time is over. @returns them, and how many ms from `now` the next one's time ends */
  takeExpired(now: number): {
    readonly expired: readonly W[];
    readonly nextMs: number | undefined;
  } {
    const expired: W[] = [];
    let nextMs: number | undefined;
    for (const write of this.#waiting()) {
      const left = write.queuedAt + write.policy.ttlMs - now;
      if (left <= 0) expired.push(write);
      else nextMs = Math.min(nextMs ?? left, left);
    }
    for (const write of expired) this.remove(write);
    return { expired, nextMs };
  }

  takeAll(): W[] {
    const all = [...this.#waiting()];
    for (const write of all) this.remove(write);
    return all;
  }

  *#alike({ policy }: W): Generator<W> {
    for (const write of this.#waiting()) {
      const { level, ttlMs } = write.policy;
      if (level !== policy.level || ttlMs !== policy.ttlMs) return;
      yield write;
    }
  }

  *#waiting(): Generator<W> {
    for (let at = this.#head; at < this.#writes.length; at += 1) {
      const write = this.#writes[at] as W;
      if (write.isQueued) yield write;
    }
  }

  /** The owner's writes, where its policies ask for them, or have asked. */
  #ownedBy({ owner, queue }: WritePolicy): Set<W> | undefined {
    const known = this.#owned.get(owner);
    if (known !== undefined || queue === "reject") return known;
    const own = new Set<W>();
    for (const write of this.#waiting()) if (write.policy.owner === owner) own.add(write);
    this.#owned.set(owner, own);
    return own;
  }

  #peek(): W | undefined {
    this.#skip();
    return this.#writes[this.#head];
  }

  /** What was taken out of the middle stays in its place until the head reaches it. */
  #skip(): void {
    while (this.#head < this.#writes.length && !(this.#writes[this.#head] as W).isQueued) {
      this.#head += 1;
    }
    if (this.#head < 1_024 && this.#head < this.#writes.length) return;
    this.#writes = this.#writes.slice(this.#head);
    this.#head = 0;
  }

  #compact(): void {
    const last = this.#writes.pop() as W;
    this.#writes = [...this.#waiting(), last];
    this.#head = 0;
  }

  #isFullFor(write: W): boolean {
    const { queueCountMax, queueBytesMax } = this.#limits;
    return this.#count >= queueCountMax || this.#bytes + write.bytes > queueBytesMax;
  }

  #refusal(code: "XRTC_QUEUE_FULL" | "XRTC_SUPERSEDED"): XrtcError {
    const message =
      code === "XRTC_SUPERSEDED"
        ? "A newer write for the same portal took its place."
        : `The queue is full: ${this.#count} writes of ${this.#bytes} bytes are waiting.`;
    return new XrtcError(code, message, { outcome: "fail" });
  }
}
