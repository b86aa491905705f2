/**
 * The batches without an answer, in order: each is applied after the one before it, whatever becomes of their requests.
 *
 * Another request follows when: an attempt of the first batch failed and it is sent again (paced by the backoff of the
 * failure streak and by the retry budget), or one of a later batch (paced by the end of one before it); a refused batch
 * was split (paced by its answer), and its second half follows its first (paced by the answer to that).
 */

import type { Clock } from "../primitives/clock.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import type { Signal } from "../primitives/signal.js";
import { Batch, type BatchEnd } from "./batch.js";
import type { ItemSink } from "./item-sink.js";
import { Lanes } from "./lane.js";
import { confirm, refuse, type QueuedWrite } from "./queued-write.js";
import type { RetryLimits } from "./retry.js";

export interface WindowOptions {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: RetryLimits;
  /** Its reason is told to whatever has no answer when it is aborted. */
  readonly signal: Signal;
  /** Called when a batch has ended, and another may follow. */
  readonly onEnd: () => void;
}

/** Milliseconds between requests under load, until one is full: fewer ones cost less than they delay. */
const SPACING_MS = 1;
/** Writes up to which nothing is gained by waiting for more, while half of the window is free. */
const FEW = 4;

export class Window {
  readonly #options: WindowOptions;
  readonly #streak: FailureStreak;
  readonly #lanes: Lanes<Batch>;
  /** Without an answer, in order. */
  readonly #batches: Batch[] = [];
  /** What lets batches go on that wait for those before them. */
  readonly #turns = new Map<Batch, () => void>();
  readonly #deliveries = new Set<Promise<void>>();
  /** The last answer was a refusal: where one is bad, the next may be, and would be turned away with all behind it. */
  #isWary = false;
  #lastSentAt = -Infinity;

  constructor(options: WindowOptions) {
    const { random } = options;
    this.#options = options;
    this.#streak = new FailureStreak(random);
    this.#lanes = new Lanes(() => random.id());
  }

  /** Writes without an answer. */
  get pending(): number {
    let count = 0;
    for (const { writes } of this.#batches) count += writes.length;
    return count;
  }

  /** Resolves when what has been sent is over. */
  async over(): Promise<void> {
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
  }

  /**
   * Milliseconds until another batch may go out; infinite when an answer must come first.
   *
   * @param count - writes that wait
   * @param isFull - whether they fill it, so that it would gain nothing by waiting for more
   */
  waitMs(count: number, isFull: boolean): number {
    if (this.#batches.length === 0) return 0;
    const { sink, clock } = this.#options;
    if (this.#batches.length >= sink.windowMax || this.#isWary) return Infinity;
    if (this.#batches.some((batch) => batch.isRetrying || batch.isSuspect)) return Infinity;
    const isIdle = count <= FEW && this.#batches.length * 2 < sink.windowMax;
    return isFull || isIdle ? 0 : this.#lastSentAt + SPACING_MS - clock.now();
  }

  /** Sends a new batch, after all others. */
  send(writes: readonly QueuedWrite[]): void {
    const batch = new Batch(writes, this.#options.random.id());
    this.#batches.push(batch);
    this.#start(batch);
  }

  #start(batch: Batch): void {
    const delivery = this.#deliver(batch).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }

  async #deliver(batch: Batch): Promise<void> {
    const { sink, clock, limits, signal, onEnd } = this.#options;
    this.#lastSentAt = clock.now();
    const end = await batch.deliver({
      sink,
      clock,
      limits,
      signal,
      backoff: () => this.#streak.fail(clock.now()),
      failures: () => this.#streak.failures,
      place: (generation) => this.#lanes.placeOf(batch, generation, this.#batches),
      isFirst: () => this.#batches[0] === batch,
      turn: () => this.#turn(batch),
    });
    this.#turns.delete(batch);
    // Only then its number is used: the ones after it would wait for it in vain.
    if (end.kind === "confirmed") this.#lanes.answered(batch);
    else this.#lanes.abandoned(batch);
    this.#end(batch, end);
    this.#goOn();
    onEnd();
  }

  #end(batch: Batch, end: BatchEnd): void {
    const { clock, random } = this.#options;
    const { writes, attempts } = batch;
    switch (end.kind) {
      case "confirmed": {
        const { serverTimestamp } = end.answer;
        const duplicatePossible = batch.isPerhapsTwice(end.answer, clock);
        this.#streak.succeed(clock.now());
        this.#isWary = false;
        this.#replace(batch, []);
        for (const write of writes)
          confirm(write, { serverTimestamp, attempts, duplicatePossible });
        break;
      }
      case "failed":
        this.#isWary ||= end.error.code === "XRTC_ITEM_REFUSED";
        this.#replace(batch, []);
        for (const write of writes) refuse(write, end.error);
        break;
      case "trimmed": {
        const rest = new Batch(end.alive, random.id(), batch);
        this.#replace(batch, [rest]);
        for (const write of end.expired) refuse(write, end.error);
        this.#start(rest);
        break;
      }
      case "split": {
        this.#isWary = true;
        const middle = Math.ceil(writes.length / 2);
        const halves = [writes.slice(0, middle), writes.slice(middle)].map(
          (half) => new Batch(half, random.id(), { attempts, counted: 0, isSuspect: true }),
        );
        this.#replace(batch, halves);
        for (const half of halves) this.#start(half);
        break;
      }
      default:
        end satisfies never;
    }
  }

  /** Those after it have not been applied: what is tried in its stead has its place before them. */
  #replace(batch: Batch, successors: readonly Batch[]): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1, ...successors);
  }

  #turn(batch: Batch): Promise<void> {
    return new Promise((resolve) => {
      this.#turns.set(batch, resolve);
    });
  }

  /** A batch has ended: those that waited go on, up to the first one that has a pace of its own. */
  #goOn(): void {
    const [first] = this.#batches;
    const isOneByOne = this.#options.sink.windowMax === 1 || this.#isWary;
    for (const batch of this.#batches) {
      if (batch.isBackingOff || (batch !== first && (batch.isSuspect || isOneByOne))) return;
      this.#turns.get(batch)?.();
      this.#turns.delete(batch);
      // What follows waits until it is known whether this has to be split again.
      if (batch.isSuspect) return;
    }
  }
}
