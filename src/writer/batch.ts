/** One batch from its first request to its last answer. */

import { isXrtcError, XrtcError } from "../errors.js";
import { sleep, type Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import type { Signal } from "../primitives/signal.js";
import { attempt, expired, type AttemptEnd } from "./attempt.js";
import type { ItemSink, SinkAnswer } from "./item-sink.js";
import { isForgotten, type Moment } from "./key-age.js";
import type { OrderedPlace } from "./lane.js";
import type { DeliveryLevel } from "./policy.js";
import { isDoubtful, verdictOf, type RetryLimits } from "./retry.js";
import type { QueuedWrite } from "./queued-write.js";

/** How a batch ended. */
export type BatchEnd =
  | { readonly kind: "confirmed"; readonly answer: SinkAnswer }
  | { readonly kind: "failed"; readonly error: XrtcError }
  /** One of its writes is at fault: each half is tried by itself. */
  | { readonly kind: "split" }
  /** Some of its writes have lived their time, and nothing was stored: the others are tried without them. */
  | {
      readonly kind: "trimmed";
      readonly error: XrtcError;
      readonly expired: readonly QueuedWrite[];
      readonly alive: readonly QueuedWrite[];
    };

export interface BatchPorts {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly limits: RetryLimits;
  readonly signal: Signal;
  /** @returns how many ms to wait before the next attempt */
  readonly backoff: () => number;
  readonly failures: () => number;
  readonly place: (generation: number) => OrderedPlace;
  /** Whether no batch before this one is without an answer. */
  readonly isFirst: () => boolean;
  /** Resolves when no batch before this one stands in its way. */
  readonly turn: () => Promise<void>;
}

/** What a batch takes over from the one that its writes were part of. */
export interface Origin {
  readonly attempts: number;
  /** Attempts that count towards the bound. */
  readonly counted: number;
  /** Whether it is a part of a refused batch: it may be refused, too, and is sent when none is before it. */
  readonly isSuspect: boolean;
}

const NEW: Origin = { attempts: 0, counted: 0, isSuspect: false };

export class Batch {
  readonly writes: readonly QueuedWrite[];
  readonly level: DeliveryLevel;
  readonly isSuspect: boolean;
  readonly #idempotencyKey: string;
  #attempts: number;
  #counted: number;
  /** When the first attempt went out that may have been applied without an answer. */
  #unknownSince: Moment | undefined;
  #wasDoubtful = false;
  /** Whether none before it was without an answer when it was sent last. */
  #wasFirst = false;
  #isRetrying = false;
  #isBackingOff = false;

  constructor(writes: readonly QueuedWrite[], idempotencyKey: string, origin = NEW) {
    this.writes = writes;
    this.level = writes[0]?.policy.level ?? "atLeastOnce";
    this.#idempotencyKey = idempotencyKey;
    this.isSuspect = origin.isSuspect;
    this.#attempts = origin.attempts;
    this.#counted = origin.counted;
  }

  /** Requests that went out for its writes. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Those that count towards the bound. */
  get counted(): number {
    return this.#counted;
  }

  /** Whether another attempt than the one that was answered may have been applied as well. */
  isPerhapsTwice({ idempotent }: SinkAnswer, clock: Clock): boolean {
    const since = this.#unknownSince;
    return since !== undefined && (!idempotent || isForgotten(since, clock));
  }

  get #wasUnknown(): boolean {
    return this.#unknownSince !== undefined;
  }

  /** Whether the last attempt failed: nothing new should go out meanwhile. */
  get isRetrying(): boolean {
    return this.#isRetrying;
  }

  /** Whether it waits for its next attempt at a pace of its own. */
  get isBackingOff(): boolean {
    return this.#isBackingOff;
  }

  /** Sends until there is an end to it; never throws. */
  async deliver(ports: BatchPorts): Promise<BatchEnd> {
    const { clock } = ports;
    if (this.isSuspect && !ports.isFirst()) await this.#untilEnd(ports, ports.turn);
    let failure: XrtcError | undefined;
    for (;;) {
      // Given up by all who waited for it: no further request is worth its cost.
      if (this.writes.every(({ settled }) => settled)) return { kind: "failed", error: forsaken() };
      const endsAt = this.#endsAt;
      failure = this.#tooLate(endsAt, failure, ports) ?? failure;
      if (failure === undefined || this.#isRetrying) {
        const { sink, signal, place, isFirst } = ports;
        this.#wasFirst = isFirst();
        const end = await attempt(this.writes, {
          sink,
          clock,
          signal,
          endsAt,
          idempotencyKey: this.#idempotencyKey,
          place,
          isFirst,
        });
        this.#note(end);
        const { result } = end;
        if (!(result instanceof XrtcError)) return { kind: "confirmed", answer: result };
        // Time that ran out before anything was sent tells less than what went wrong before.
        const isNews = end.sentAt !== undefined || result.code !== "XRTC_TIMEOUT";
        if (isNews || failure === undefined) failure = result;
      }
      const verdict = this.#verdict(failure, endsAt, ports);
      if (verdict.kind === "split") return verdict;
      if (verdict.kind === "fail") {
        return (
          this.#trimmed(failure, verdict.error, clock.now()) ?? {
            kind: "failed",
            error: verdict.error,
          }
        );
      }
      this.#isRetrying = true;
      this.#wasDoubtful = isDoubtful(failure);
      await this.#pause(failure, ports);
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

  /** Its end, when time is over for some of its writes and for them alone: spent attempts are spent for all. */
  #trimmed(failure: XrtcError, error: XrtcError, now: number): BatchEnd | undefined {
    const mayPass = failure.retryable || failure.code === "XRTC_TIMEOUT" || isDoubtful(failure);
    if (this.#wasUnknown || !mayPass) return undefined;
    const late: QueuedWrite[] = [];
    const alive: QueuedWrite[] = [];
    for (const write of this.writes) (endOf(write) > now ? alive : late).push(write);
    if (alive.length === 0 || late.length === 0) return undefined;
    return { kind: "trimmed", error, expired: late, alive };
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

  /** Takes down what an attempt tells. */
  #note({ result, sentAt }: AttemptEnd): void {
    if (sentAt !== undefined) this.#attempts += 1;
    if (!(result instanceof XrtcError)) return;
    if (result.outcome === "unknown") this.#unknownSince ??= sentAt;
    // What never reached the service is bounded by its time alone.
    if (sentAt === undefined || result.code === "XRTC_UNREACHABLE") return;
    // Else it failed for the sake of one before it, as a rule: the attempts of that one are the bound.
    if (this.#wasFirst || result.outcome === "unknown") this.#counted += 1;
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
        counted: this.#counted,
        timeLeftMs: endsAt - clock.now(),
        parcels: this.writes.length,
        wasDoubtful: this.#wasDoubtful,
        wasUnknown: this.#wasUnknown,
        level: this.level,
      },
      limits,
    );
  }

  async #pause(failure: XrtcError, ports: BatchPorts): Promise<void> {
    if (failure.retryAfterMs === undefined && !this.#wasFirst) {
      // It failed because of the one before it, as a rule, and will go the way of that one.
      if (!ports.isFirst()) await this.#untilEnd(ports, ports.turn);
      return;
    }
    const backoff = Math.max(ports.backoff(), failure.retryAfterMs ?? 0);
    const wait = ports.sink.troubled(failure, ports.failures(), backoff);
    this.#isBackingOff = true;
    await this.#untilEnd(ports, (signal) => sleep(ports.clock, wait, signal));
    this.#isBackingOff = false;
  }

  /** Waits, but not longer than there is time. */
  async #untilEnd(
    { clock, signal }: BatchPorts,
    wait: (signal: Signal) => Promise<void>,
  ): Promise<void> {
    const end = new Deadline(clock, signal);
    end.set(Math.max(0, this.#endsAt - clock.now()), expired);
    try {
      await abortable(wait(end.signal), end.signal);
    } catch (thrown) {
      // Closed, or out of time: the next look at the batch finds that and ends it.
      if (!isXrtcError(thrown)) throw thrown;
    } finally {
      end.dispose();
    }
  }
}

/** When a write has lived its time (monotonic ms). */
export const endOf = ({ queuedAt, policy }: QueuedWrite): number => queuedAt + policy.ttlMs;

const forsaken = (): XrtcError =>
  new XrtcError("XRTC_ABORTED", "Nobody waits for the set any more.", { outcome: "unknown" });
