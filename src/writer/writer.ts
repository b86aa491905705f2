/**
 * Writes in order, and answers for each of them. A batch goes out at once while none is in flight, and what is written
 * meanwhile is the next one: the delay is one round trip when idle, and the batches grow with the load. Where the
 * server keeps the order, several are in flight, so that a long way does not make writes wait for each other.
 *
 * Another request follows when: writes wait and none is in flight (paced by the answers); writes wait and another may
 * be in flight (paced by `SPACING_MS`, or by the window when they fill a batch); an attempt of the first batch in flight
 * failed and it is sent again (paced by the backoff of the failure streak and by the retry budget), or one of a later
 * batch (paced by the end of one before it); a refused batch was split (paced by its answer).
 */

import { asError, XrtcError } from "../errors.js";
import type { Cancel, Clock } from "../primitives/clock.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import { Abort } from "../primitives/signal.js";
import { Batch, endOf, type ItemSink } from "./batch.js";
import { requestBytes, type BatchLimits, type Parcel } from "./batcher.js";
import { Lanes } from "./lane.js";
import type { QueuedWrite, SetResult } from "./queued-write.js";
import type { RetryLimits } from "./retry.js";
import { WriteQueue, type QueueLimits, type Write } from "./write-queue.js";

export interface WriterLimits extends BatchLimits, RetryLimits, QueueLimits {
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

/** Milliseconds between requests beyond the first in flight, until one is full: fewer ones cost less than they delay. */
const SPACING_MS = 1;
/** Milliseconds that a write may outlive its time, so that many do not cost a timer each. */
const EXPIRY_GRAIN_MS = 100;

export class Writer {
  readonly #options: WriterOptions;
  readonly #streak: FailureStreak;
  readonly #lanes: Lanes<Batch>;
  readonly #queue: WriteQueue<QueuedWrite>;
  readonly #ended = new Abort();
  /** Batches without an answer, in order. */
  #inFlight: Batch[] = [];
  /** Halves of refused batches, before anything new. */
  #halves: Batch[] = [];
  /** Halves without an answer, sent or not. */
  readonly #splitting = new Set<Batch>();
  /** What lets batches go on whose attempt failed while others before them had no answer. */
  readonly #turns = new Map<Batch, () => void>();
  #deliveries = new Set<Promise<void>>();
  #lastSentAt = -Infinity;
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
    const { random, limits } = options;
    this.#options = options;
    this.#streak = new FailureStreak(random);
    this.#lanes = new Lanes(() => random.id());
    this.#queue = new WriteQueue(limits);
  }

  /** Writes that wait or are in flight. */
  get pending(): number {
    const batches = [...this.#inFlight, ...this.#halves];
    return this.#queue.count + batches.reduce((sum, { writes }) => sum + writes.length, 0);
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
    if (this.pending === 0 && this.#deliveries.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Gives up what waits: each write is told so. Calling it twice is one close. */
  async close(): Promise<void> {
    this.#draining = true;
    const closed = new XrtcError("XRTC_CLOSED", "The client was closed before the answer.");
    const unsent = closed.with({ outcome: "fail" });
    const waiting = [...this.#halves.flatMap(({ writes }) => writes), ...this.#queue.takeAll()];
    this.#halves = [];
    for (const write of waiting) refuse(write, unsent);
    this.#ended.abort(closed);
    this.#cancelPump?.();
    this.#cancelExpiry?.();
    await Promise.all(this.#deliveries);
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
    while (!this.#ended.signal.aborted && (this.#halves.length > 0 || this.#queue.count > 0)) {
      const wait = this.#waitMs();
      if (wait > 0) {
        if (Number.isFinite(wait)) this.#pumpIn(wait);
        break;
      }
      this.#begin(
        this.#halves.shift() ?? this.#newBatch(this.#queue.takeBatch(this.#options.limits)),
      );
    }
    // What goes out at once, as most does, needs no watch.
    this.#watchExpiry(this.#soonestEnd);
    this.#soonestEnd = Infinity;
  }

  /** Milliseconds until another batch may go out; infinite when an answer must come first. */
  #waitMs(): number {
    if (this.#inFlight.length === 0) return 0;
    const { sink, clock } = this.#options;
    if (this.#inFlight.length >= sink.windowMax) return Infinity;
    // A half may be refused, too: nothing may pass it while it is not known whether it has to be split again.
    if (this.#splitting.size > 0) return Infinity;
    if (this.#inFlight.some((batch) => batch.isRetrying)) return Infinity;
    // A batch that is full already gains nothing by waiting for more.
    if (this.#queue.bytes >= this.#options.limits.batchBytesMax) return 0;
    return this.#lastSentAt + SPACING_MS - clock.now();
  }

  #pumpIn(ms: number): void {
    this.#cancelPump ??= this.#options.clock.schedule(ms, () => {
      this.#cancelPump = undefined;
      this.#pump();
    });
  }

  #newBatch(writes: readonly QueuedWrite[]): Batch {
    return new Batch(writes, this.#options.random.id());
  }

  /** @param place - its place among the batches in flight */
  #begin(batch: Batch, place = this.#inFlight.length): void {
    const delivery = this.#deliver(batch, place).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }

  async #deliver(batch: Batch, place: number): Promise<void> {
    const { sink, clock, limits } = this.#options;
    this.#lastSentAt = clock.now();
    this.#inFlight.splice(place, 0, batch);
    const end = await batch.deliver({
      sink,
      clock,
      limits,
      signal: this.#ended.signal,
      backoff: () => this.#streak.fail(clock.now()),
      failures: () => this.#streak.failures,
      place: (generation) => this.#lanes.placeOf(batch, generation, this.#inFlight),
      turn: () => this.#turn(batch),
    });
    const endedAt = this.#inFlight.indexOf(batch);
    this.#inFlight.splice(endedAt, 1);
    this.#turns.delete(batch);
    this.#splitting.delete(batch);
    switch (end.kind) {
      case "confirmed":
        this.#streak.succeed(clock.now());
        this.#lanes.answered(batch);
        this.#confirm(batch, end.answer.serverTimestamp, end.answer.idempotent);
        break;
      case "failed":
        if (end.decided) this.#lanes.answered(batch);
        else this.#lanes.abandoned(batch);
        for (const write of batch.writes) refuse(write, end.error);
        break;
      case "trimmed": {
        this.#lanes.abandoned(batch);
        const now = clock.now();
        const alive = batch.writes.filter((write) => endOf(write) > now);
        for (const write of batch.writes) {
          if (!alive.includes(write)) refuse(write, end.error);
        }
        // Those after it have not been applied: it keeps its place before them.
        this.#begin(this.#newBatch(alive), endedAt);
        break;
      }
      case "split": {
        this.#lanes.answered(batch);
        const middle = Math.ceil(batch.writes.length / 2);
        const halves = [batch.writes.slice(0, middle), batch.writes.slice(middle)].map((half) =>
          this.#newBatch(half),
        );
        for (const half of halves) this.#splitting.add(half);
        this.#halves.unshift(...halves);
        break;
      }
      default:
        end satisfies never;
    }
    this.#giveTurns();
    this.#pump();
    if (this.pending === 0) this.#tellIdle();
  }

  #turn(batch: Batch): Promise<void> | undefined {
    if (this.#inFlight[0] === batch) return undefined;
    return new Promise((resolve) => {
      this.#turns.set(batch, resolve);
    });
  }

  /** A batch has ended: those that waited go on, up to the first one that has a pace of its own. */
  #giveTurns(): void {
    for (const batch of this.#inFlight) {
      if (batch.isBackingOff) return;
      this.#turns.get(batch)?.();
      this.#turns.delete(batch);
    }
  }

  #confirm(batch: Batch, serverTimestamp: number, idempotent: boolean): void {
    const duplicatePossible = batch.wasUnknown && !idempotent;
    const result = { serverTimestamp, attempts: batch.attempts, duplicatePossible };
    for (const write of batch.writes) confirm(write, result);
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
      this.#queue.remove(write);
      refuse(write, asError(signal.reason));
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

function confirm(write: QueuedWrite, result: SetResult): void {
  if (write.settled) return;
  write.settled = true;
  write.resolve(result);
}

function refuse(write: QueuedWrite, error: Error): void {
  if (write.settled) return;
  write.settled = true;
  write.reject(error);
}

const notSent = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "The set was not sent within its time to live.", {
    outcome: "fail",
  });
