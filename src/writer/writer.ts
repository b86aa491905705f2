/**
 * Writes in order, one request at a time, and answers for each of them. While a request is in flight the next writes
 * collect: the delay is one round trip when idle, and the batches grow with the load. No timer is needed for that.
 *
 * Another request follows when: writes are waiting and none is in flight; a request failed and its batch may be sent
 * again (paced by the backoff of the failure streak); a refused batch was split (paced by its answer).
 */

import { asError, isXrtcError, XrtcError } from "../errors.js";
import { sleep, type Clock } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import { batchLength, requestBytes, type BatchLimits, type Parcel } from "./batcher.js";
import { verdictOf, type RetryLimits } from "./retry.js";

/** Where a batch goes. */
export interface ItemSink {
  /**
   * @param sent - called when the request goes out
   * @throws XrtcError with its `outcome`
   */
  set(
    encodedItems: readonly string[],
    call: { readonly signal: AbortSignal; readonly idempotencyKey: string; sent(): void },
  ): Promise<SinkAnswer>;
  /** Tells that a write failed and when it is tried again. */
  troubled(cause: XrtcError, failures: number, retryInMs: number): void;
}

export interface SinkAnswer {
  /** UNIX ms of the server's clock. */
  readonly serverTimestamp: number;
  /** Whether the service recognises a request that it has already applied. */
  readonly idempotent: boolean;
}

export interface SetResult {
  /** UNIX ms of the server's clock at which the items were stored. */
  readonly serverTimestamp: number;
  /** Requests that it took. */
  readonly attempts: number;
  /** Whether an earlier attempt may have stored the items already. */
  readonly duplicatePossible: boolean;
}

export interface WriterLimits extends BatchLimits, RetryLimits {
  /** Writes that may wait. */
  readonly queueCountMax: number;
  /** Bytes that may wait. */
  readonly queueBytesMax: number;
  /** Bytes of one request. */
  readonly requestBytesMax: number;
}

export interface WriterOptions {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: WriterLimits;
}

interface QueuedWrite extends Parcel {
  readonly queuedAt: number;
  /** Its caller gave it up, or has been answered. */
  settled: boolean;
  resolve: (result: SetResult) => void;
  reject: (error: Error) => void;
}

interface Batch {
  readonly writes: readonly QueuedWrite[];
  readonly idempotencyKey: string;
  attempts: number;
  wasUnknown: boolean;
  lastFailure: XrtcError | undefined;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #streak: FailureStreak;
  readonly #ended = new AbortController();
  /** Batches that are to be sent again before anything new. */
  #again: Batch[] = [];
  #queue: QueuedWrite[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #draining = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#streak = new FailureStreak(options.random);
  }

  /** Writes that wait or are in flight. */
  get pending(): number {
    return this.#queue.length + this.#again.reduce((sum, batch) => sum + batch.writes.length, 0);
  }

  /**
   * @returns what became of the parcel, when the service has answered
   * @throws XrtcError; the signal's reason when it is aborted, and then the parcel may still have been sent
   */
  write(parcel: Parcel, signal?: AbortSignal): Promise<SetResult> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(parcel, signal);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const write: QueuedWrite = {
        ...parcel,
        queuedAt: this.#options.clock.now(),
        settled: false,
        resolve,
        reject,
      };
      if (signal !== undefined) followSignal(write, signal);
      this.#queue.push(write);
      this.#queuedBytes += write.bytes;
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing more, and resolves when everything has been answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#running;
  }

  /** Gives up what waits: each write is told so. Calling it twice is one close. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#ended.abort(new XrtcError("XRTC_CLOSED", "The client was closed before the answer."));
    await this.#running;
  }

  #refusal(parcel: Parcel, signal: AbortSignal | undefined): Error | undefined {
    const { queueCountMax, queueBytesMax, requestBytesMax } = this.#options.limits;
    if (signal?.aborted) return asError(signal.reason);
    if (this.#draining) return new XrtcError("XRTC_CLOSED", "The client is closed.");
    const size = requestBytes(parcel);
    if (size > requestBytesMax) {
      const message = `The request would have ${size} bytes; ${requestBytesMax} are allowed.`;
      return new XrtcError("XRTC_PAYLOAD_TOO_LARGE", message, { outcome: "fail" });
    }
    const full =
      this.#queue.length >= queueCountMax || this.#queuedBytes + parcel.bytes > queueBytesMax;
    if (!full) return undefined;
    const held = `${this.#queue.length} writes of ${this.#queuedBytes} bytes are waiting`;
    return new XrtcError("XRTC_QUEUE_FULL", `The queue is full: ${held}.`, { outcome: "fail" });
  }

  async #run(): Promise<void> {
    // Calls that were made in one go share a batch; waiting for the end of the turn costs nothing.
    await Promise.resolve();
    for (;;) {
      const batch = this.#again.shift() ?? this.#nextBatch();
      if (batch === undefined) break;
      await this.#send(batch);
    }
    this.#running = undefined;
  }

  #nextBatch(): Batch | undefined {
    // Those that were given up while they waited need no request.
    const count = batchLength(this.#queue, this.#options.limits);
    if (count === 0) return undefined;
    const writes = this.#queue.splice(0, count);
    this.#queuedBytes -= writes.reduce((sum, write) => sum + write.bytes, 0);
    const wanted = writes.filter((write) => !write.settled);
    return wanted.length === 0 ? this.#nextBatch() : this.#batchOf(wanted);
  }

  #batchOf(writes: readonly QueuedWrite[]): Batch {
    const idempotencyKey = this.#options.random.id();
    return { writes, idempotencyKey, attempts: 0, wasUnknown: false, lastFailure: undefined };
  }

  async #send(batch: Batch): Promise<void> {
    const { sink, clock, limits } = this.#options;
    const { idempotencyKey, writes } = batch;
    const leftMs = (writes[0] as QueuedWrite).queuedAt + limits.retryMsMax - clock.now();
    const tooLate = this.#ended.signal.aborted
      ? (this.#ended.signal.reason as XrtcError)
      : leftMs <= 0
        ? (batch.lastFailure ?? expired(limits.retryMsMax))
        : undefined;
    if (tooLate !== undefined) {
      await this.#failed(batch, asFailure(tooLate, false), this.#ended.signal);
      return;
    }
    const deadline = new Deadline(clock, this.#ended.signal);
    let sent = false;
    deadline.set(leftMs, () => expired(limits.retryMsMax));
    try {
      const encodedItems = writes.flatMap((write) => write.encodedItems);
      const answer = await sink.set(encodedItems, {
        signal: deadline.signal,
        idempotencyKey,
        sent: () => {
          if (!sent) batch.attempts += 1;
          sent = true;
        },
      });
      this.#streak.succeed(clock.now());
      this.#answered(batch, answer);
    } catch (thrown) {
      const failure = asFailure(thrown, sent);
      if (failure.outcome === "unknown") batch.wasUnknown = true;
      batch.lastFailure = failure;
      await this.#failed(batch, failure, deadline.signal);
    } finally {
      deadline.dispose();
    }
  }

  #answered(batch: Batch, { serverTimestamp, idempotent }: SinkAnswer): void {
    const duplicatePossible = batch.wasUnknown && !idempotent;
    const result = { serverTimestamp, attempts: batch.attempts, duplicatePossible };
    for (const write of batch.writes) settle(write, () => write.resolve(result));
  }

  async #failed(batch: Batch, failure: XrtcError, signal: AbortSignal): Promise<void> {
    const { sink, clock, limits } = this.#options;
    const { writes, attempts, wasUnknown } = batch;
    const ageMs = clock.now() - (writes[0] as QueuedWrite).queuedAt;
    const history = { attempts, ageMs, parcels: writes.length, wasUnknown };
    const verdict = verdictOf(failure, history, limits);
    switch (verdict.kind) {
      case "fail":
        for (const write of writes) settle(write, () => write.reject(verdict.error));
        return;
      case "split": {
        const middle = Math.ceil(writes.length / 2);
        const halves = [writes.slice(0, middle), writes.slice(middle)];
        this.#again.unshift(...halves.map((half) => this.#batchOf(half)));
        return;
      }
      case "retry": {
        const wait = Math.max(this.#streak.fail(clock.now()), failure.retryAfterMs ?? 0);
        sink.troubled(failure, this.#streak.failures, wait);
        this.#again.unshift(batch);
        try {
          await sleep(clock, wait, signal);
        } catch {
          // Closed, or out of time: the next attempt finds that out and settles the batch.
          return;
        }
        return;
      }
      default:
        verdict satisfies never;
    }
  }
}

function settle(write: QueuedWrite, act: () => void): void {
  if (write.settled) return;
  write.settled = true;
  act();
}

function followSignal(write: QueuedWrite, signal: AbortSignal): void {
  const { resolve, reject } = write;
  const onAbort = (): void => settle(write, () => reject(asError(signal.reason)));
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

const expired = (ms: number): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", `The set was not confirmed within ${ms} ms.`);

/** What was given up before its request went out was provably not applied. */
function asFailure(thrown: unknown, sent: boolean): XrtcError {
  if (!isXrtcError(thrown)) {
    const outcome = sent ? "unknown" : "fail";
    return new XrtcError("XRTC_ABORTED", "The set was given up.", { outcome, cause: thrown });
  }
  if (thrown.outcome !== undefined && (sent || thrown.outcome === "fail")) return thrown;
  return thrown.with({ outcome: sent ? "unknown" : "fail" });
}
