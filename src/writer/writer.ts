/**
 * Takes writes, lets them wait within their bounds, and hands them over in batches. A batch goes out at once while none
 * is in flight, and what is written meanwhile is the next one: the delay is one round trip when idle, and the batches
 * grow with the load. Where the server keeps the order, several are in flight, so that a long way does not make writes
 * wait for each other. With a linger, writes wait so long for others to share their batch, unless they fill one.
 *
 * Another request follows when: writes wait and none is in flight (paced by the answers, and by the linger); writes
 * wait and another may be in flight (paced by the window's spacing, or by its size when they fill a batch); and as
 * `window.ts` says.
 */

import { asError, isXrtcError, XrtcError } from "../errors.js";
import type { Cancel, Clock } from "../primitives/clock.js";
import type { Random } from "../primitives/random.js";
import { Abort } from "../primitives/signal.js";
import { requestBytes, type BatchLimits, type Parcel } from "./batcher.js";
import type { ItemSink } from "./item-sink.js";
import { refuse, type QueuedWrite, type SetResult } from "./queued-write.js";
import type { RetryLimits } from "./retry.js";
import { Window } from "./window.js";
import { WriteQueue, type QueueLimits, type Write } from "./write-queue.js";

export interface WriterLimits extends BatchLimits, RetryLimits, QueueLimits {
  /** Milliseconds that a write may wait for others to share its batch. @defaultValue 0 */
  readonly lingerMs?: number;
  /** Bytes of one request. */
  readonly requestBytesMax: number;
}

export interface WriterOptions {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: WriterLimits;
}

export type NewWrite = Parcel & Pick<Write, "portalIds" | "policy">;

/** Milliseconds that a write may outlive its time, so that many do not cost a timer each. */
const EXPIRY_GRAIN_MS = 100;

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue: WriteQueue<QueuedWrite>;
  readonly #window: Window;
  readonly #ended = new Abort();
  #pumping = false;
  #draining = false;
  #cancelPump: Cancel | undefined;
  #cancelExpiry: Cancel | undefined;
  /** When that timer rings (monotonic ms). */
  #expiryAt = Infinity;
  /** When the first of the writes ends that came since the last look at the queue. */
  #soonestEnd = Infinity;
  #idle: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#queue = new WriteQueue(options.limits);
    const onEnd = (): void => this.#onEnd();
    this.#window = new Window({ ...options, signal: this.#ended.signal, onEnd });
  }

  /** Writes that wait or are in flight. */
  get pending(): number {
    return this.#queue.count + this.#window.pending;
  }

  /**
   * @returns what became of the write, when the service has answered
   * @throws XrtcError; the signal's reason when it is aborted, and then the write may still have been sent
   */
  write(parcel: NewWrite, signal?: AbortSignal): Promise<SetResult> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(parcel, signal);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const queuedAt = this.#options.clock.now();
      const { encodedItems, bytes, portalIds, policy } = parcel;
      // Written out: a spread costs more than the rest of the call.
      const write: QueuedWrite = {
        encodedItems,
        bytes,
        portalIds,
        policy,
        queuedAt,
        settled: false,
        isQueued: false,
        resolve,
        reject,
      };
      if (signal !== undefined) this.#followSignal(write, signal);
      for (const { write: dropped, error } of this.#queue.push(write)) refuse(dropped, error);
      this.#soonestEnd = Math.min(this.#soonestEnd, queuedAt + policy.ttlMs);
      this.#schedulePump();
    });
  }

  /** Takes nothing more, and resolves when everything has been answered. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.pending === 0) return Promise.resolve();
    // Nobody comes any more to share a batch with.
    this.#pumpNow();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Gives up what waits: each write is told so. Calling it twice is one close. */
  async close(): Promise<void> {
    this.#draining = true;
    const closed = new XrtcError("XRTC_CLOSED", "The client was closed before the answer.");
    const unsent = closed.with({ outcome: "fail" });
    for (const write of this.#queue.takeAll()) refuse(write, unsent);
    this.#ended.abort(closed);
    this.#cancelPump?.();
    this.#cancelExpiry?.();
    await this.#window.over();
    this.#tellIdle();
  }

  #refusal(parcel: Parcel, signal: AbortSignal | undefined): Error | undefined {
    const { requestBytesMax } = this.#options.limits;
    if (signal?.aborted) return asError(signal.reason);
    if (this.#draining) return new XrtcError("XRTC_CLOSED", "The client is closed.");
    const size = requestBytes(parcel);
    if (size <= requestBytesMax) return undefined;
    const message = `The request would have ${size} bytes; ${requestBytesMax} are allowed.`;
    return new XrtcError("XRTC_PAYLOAD_TOO_LARGE", message, { outcome: "fail" });
  }

  /** Calls that were made in one go share a batch; waiting for the end of the turn costs nothing. */
  #schedulePump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { limits } = this.#options;
    while (!this.#ended.signal.aborted && this.#queue.count > 0) {
      const { count, bytes } = this.#queue;
      const isFull = bytes >= limits.batchBytesMax || count >= limits.batchItemsMax;
      const wait = Math.max(this.#window.waitMs(count, isFull), isFull ? 0 : this.#lingerLeft());
      if (wait > 0) {
        if (Number.isFinite(wait)) this.#pumpIn(wait);
        break;
      }
      this.#window.send(this.#queue.takeBatch(limits));
    }
    // What goes out at once, as most does, needs no watch.
    this.#watchExpiry(this.#soonestEnd);
    this.#soonestEnd = Infinity;
  }

  /** Milliseconds that the first of the writes still waits for others. */
  #lingerLeft(): number {
    const { limits, clock } = this.#options;
    const { lingerMs = 0 } = limits;
    if (lingerMs === 0 || this.#draining) return 0;
    return (this.#queue.oldestAt ?? -Infinity) + lingerMs - clock.now();
  }

  #pumpNow(): void {
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    this.#schedulePump();
  }

  #pumpIn(ms: number): void {
    this.#cancelPump ??= this.#options.clock.schedule(ms, () => {
      this.#cancelPump = undefined;
      this.#pump();
    });
  }

  #onEnd(): void {
    this.#pump();
    if (this.pending === 0) this.#tellIdle();
  }

  /**
   * What waits and is never sent ends, too. One timer for all, set only while there is something to wait for.
   *
   * @param endsAt - when a write that has just come ends: it may be before those that came earlier
   */
  #watchExpiry(endsAt = Infinity): void {
    if (this.#queue.count === 0) return;
    if (this.#cancelExpiry !== undefined) {
      if (endsAt + EXPIRY_GRAIN_MS >= this.#expiryAt) return;
      this.#cancelExpiry();
      this.#cancelExpiry = undefined;
    }
    const { clock } = this.#options;
    const now = clock.now();
    const { expired, nextMs } = this.#queue.takeExpired(now);
    for (const write of expired) refuse(write, notSent());
    if (nextMs === undefined) return;
    this.#expiryAt = now + nextMs + EXPIRY_GRAIN_MS;
    this.#cancelExpiry = clock.schedule(nextMs + EXPIRY_GRAIN_MS, () => {
      this.#cancelExpiry = undefined;
      this.#watchExpiry();
    });
  }

  #tellIdle(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  #followSignal(write: QueuedWrite, signal: AbortSignal): void {
    const { resolve, reject } = write;
    const onAbort = (): void => {
      const isUnsent = write.isQueued;
      this.#queue.remove(write);
      refuse(write, givenUp(signal.reason, isUnsent));
    };
    const unfollow = (): void => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    write.resolve = (result) => {
      unfollow();
      resolve(result);
    };
    write.reject = (error) => {
      unfollow();
      reject(error);
    };
  }
}

/** The signal's reason; an error of ours also tells whether the write may have been sent. */
const givenUp = (reason: unknown, isUnsent: boolean): Error =>
  isXrtcError(reason) ? reason.with({ outcome: isUnsent ? "fail" : "unknown" }) : asError(reason);

const notSent = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "The set was not sent within its time to live.", {
    outcome: "fail",
  });
