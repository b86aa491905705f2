/** One batch from its first request to its last answer. */

import { isXrtcError, XrtcError } from "../errors.js";
import { sleep, type Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import type { OrderedPlace } from "./lane.js";
import type { DeliveryLevel } from "./policy.js";
import { verdictOf, type RetryLimits } from "./retry.js";
import type { QueuedWrite } from "./queued-write.js";
import type { Signal } from "../primitives/signal.js";

/** Where a batch goes. */
export interface ItemSink {
  /** Batches that may be in flight at a time, each applied after the one before it; 1 where that is not offered. */
  readonly windowMax: number;
  /**
   * @throws XrtcError with its `outcome`
   */
  set(encodedItems: readonly string[], call: SinkCall): Promise<SinkAnswer>;
  /**
   * Tells that a write failed and when it is tried again.
   *
   * @returns in how many ms it may be, when that is later
   */
  troubled(cause: XrtcError, failures: number, retryInMs: number): number;
}

export interface SinkCall {
  readonly signal: Signal;
  /** The same on every attempt of a batch. */
  readonly idempotencyKey: string;
  /** The request's place among those in flight, under a login; called only where places count. */
  readonly place: (generation: number) => OrderedPlace;
  /** Called when the request goes out. */
  readonly sent: () => void;
  /** Bounds what is left of the call: the signal is aborted after so many ms at the latest. */
  readonly within: (ms: number, reason: () => Error) => void;
}

export interface SinkAnswer {
  /** UNIX ms of the server's clock. */
  readonly serverTimestamp: number;
  /** Whether the service recognises a request that it has already applied. */
  readonly idempotent: boolean;
}

/** How a batch ended. */
export type BatchEnd =
  | { readonly kind: "confirmed"; readonly answer: SinkAnswer }
  | { readonly kind: "failed"; readonly error: XrtcError; readonly decided: boolean }
  /** One of its writes is at fault: each half is tried by itself. */
  | { readonly kind: "split" }
  /** Some of its writes have lived their time, and nothing was stored: the others are tried without them. */
  | { readonly kind: "trimmed"; readonly error: XrtcError };

export interface BatchPorts {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly limits: RetryLimits;
  readonly signal: Signal;
  /** @returns how many ms to wait before the next attempt */
  readonly backoff: () => number;
  readonly failures: () => number;
  readonly place: (generation: number) => OrderedPlace;
  /** Resolves when no batch before this one stands in its way; nothing, when this is the first without an answer. */
  readonly turn: () => Promise<void> | undefined;
}

export class Batch {
  readonly writes: readonly QueuedWrite[];
  readonly level: DeliveryLevel;
  readonly #idempotencyKey: string;
  #attempts = 0;
  #wasUnknown = false;
  #isRetrying = false;
  #isBackingOff = false;

  constructor(writes: readonly QueuedWrite[], idempotencyKey: string) {
    this.writes = writes;
    this.level = writes[0]?.policy.level ?? "atLeastOnce";
    this.#idempotencyKey = idempotencyKey;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Whether an attempt may have been applied without an answer. */
  get wasUnknown(): boolean {
    return this.#wasUnknown;
  }

  /** Whether the last attempt failed: nothing new should go out meanwhile. */
  get isRetrying(): boolean {
    return this.#isRetrying;
  }

  /** Whether it waits for its next attempt at a pace of its own. */
  get isBackingOff(): boolean {
    return this.#isBackingOff;
  }

  /** Sends until there is an end to it. It never throws. */
  async deliver(ports: BatchPorts): Promise<BatchEnd> {
    const { clock } = ports;
    let failure: XrtcError | undefined;
    for (;;) {
      const endsAt = this.#endsAt;
      failure = this.#tooLate(endsAt, failure, ports) ?? failure;
      if (failure === undefined || this.#isRetrying) {
        const result = await this.#attempt(endsAt, ports);
        if (!(result instanceof XrtcError)) return { kind: "confirmed", answer: result };
        failure = result;
      }
      const verdict = this.#verdict(failure, endsAt, ports);
      if (verdict.kind === "split") return verdict;
      if (verdict.kind === "fail") {
        if (this.#canTrim(failure, clock.now())) return { kind: "trimmed", error: verdict.error };
        const decided = failure.code === "XRTC_ITEM_REFUSED";
        return { kind: "failed", error: verdict.error, decided };
      }
      this.#isRetrying = true;
      await this.#pause(failure, endsAt, ports);
    }
  }

  /**
   * Until when it may be tried. While nothing can have been stored, the write that is oldest decides, and the others go
   * on without it; after that the batch must stay as it is, or its key would mean nothing.
   */
  get #endsAt(): number {
    let [first, last] = [Infinity, -Infinity];
    for (const write of this.writes) {
      const end = endOf(write);
      if (end < first) first = end;
      if (end > last) last = end;
    }
    return this.#wasUnknown ? last : first;
  }

  #canTrim(failure: XrtcError, now: number): boolean {
    const isOver = failure.retryable || failure.code === "XRTC_TIMEOUT";
    return isOver && !this.#wasUnknown && this.writes.some((write) => endOf(write) > now);
  }

  /** The batch has no time left, or nobody waits for it any more. */
  #tooLate(
    endsAt: number,
    last: XrtcError | undefined,
    { clock, signal }: BatchPorts,
  ): XrtcError | undefined {
    const late = signal.aborted ? (signal.reason as XrtcError) : undefined;
    if (late === undefined && clock.now() < endsAt) return undefined;
    this.#isRetrying = false;
    return late?.with({ outcome: "fail" }) ?? last ?? expired().with({ outcome: "fail" });
  }

  async #attempt(
    endsAt: number,
    { sink, clock, signal, place }: BatchPorts,
  ): Promise<SinkAnswer | XrtcError> {
    const deadline = new Deadline(clock, signal);
    let sent = false;
    let isBounded = false;
    try {
      const encodedItems: string[] = [];
      for (const write of this.writes) {
        for (const item of write.encodedItems) encodedItems.push(item);
      }
      const answer = sink.set(encodedItems, {
        signal: deadline.signal,
        idempotencyKey: this.#idempotencyKey,
        place,
        sent: () => {
          if (!sent) this.#attempts += 1;
          sent = true;
        },
        within: (ms, reason) => {
          isBounded = true;
          const left = endsAt - clock.now();
          if (ms < left) deadline.set(ms, reason);
          else deadline.set(left, expired);
        },
      });
      // A set goes out in that very call, as a rule; one that has to wait first may do so as long as it lives.
      if (!isBounded) deadline.set(endsAt - clock.now(), expired);
      return await answer;
    } catch (thrown) {
      const failure = asFailure(thrown, sent);
      if (failure.outcome === "unknown") this.#wasUnknown = true;
      return failure;
    } finally {
      deadline.dispose();
    }
  }

  #verdict(
    failure: XrtcError,
    endsAt: number,
    { clock, limits }: BatchPorts,
  ): ReturnType<typeof verdictOf> {
    return verdictOf(
      failure,
      {
        attempts: this.#attempts,
        timeLeftMs: endsAt - clock.now(),
        parcels: this.writes.length,
        wasUnknown: this.#wasUnknown,
        level: this.level,
      },
      limits,
    );
  }

  async #pause(failure: XrtcError, endsAt: number, ports: BatchPorts): Promise<void> {
    const { sink, clock, signal } = ports;
    const end = new Deadline(clock, signal);
    end.set(Math.max(0, endsAt - clock.now()), expired);
    try {
      const turn = failure.retryAfterMs === undefined ? ports.turn() : undefined;
      if (turn !== undefined) {
        // It failed because of the one before it, as a rule, and will go the way of that one.
        await abortable(turn, end.signal);
        return;
      }
      const backoff = Math.max(ports.backoff(), failure.retryAfterMs ?? 0);
      const wait = sink.troubled(failure, ports.failures(), backoff);
      this.#isBackingOff = true;
      await sleep(clock, wait, end.signal);
    } catch (thrown) {
      // Closed, or out of time: the next look at the batch finds that and ends it.
      if (!isXrtcError(thrown)) throw thrown;
    } finally {
      this.#isBackingOff = false;
      end.dispose();
    }
  }
}

/** When a write has lived its time (monotonic ms). */
export const endOf = ({ queuedAt, policy }: QueuedWrite): number => queuedAt + policy.ttlMs;

const expired = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "The set was not confirmed within its time to live.");

/** What was given up before its request went out was provably not applied. */
function asFailure(thrown: unknown, sent: boolean): XrtcError {
  if (!isXrtcError(thrown)) {
    const outcome = sent ? "unknown" : "fail";
    return new XrtcError("XRTC_ABORTED", "The set was given up.", { outcome, cause: thrown });
  }
  if (thrown.outcome !== undefined && (sent || thrown.outcome === "fail")) return thrown;
  return thrown.with({ outcome: sent ? "unknown" : "fail" });
}
