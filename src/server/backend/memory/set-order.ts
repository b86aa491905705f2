import type { Cancel } from "../../../primitives/clock.js";
import type { TimeoutQueue } from "../../../primitives/timeout-queue.js";

/** What becomes of one ordered set. Exactly one is called, once. */
export interface Turn {
  /** Its predecessors are all applied: decide this one, then tell {@link SetOrder} how. */
  run(): void;
  /** Its number was used before. */
  past(): void;
  /** Its predecessors did not come in time, or one was refused, or the session is over. */
  late(): void;
}

interface Waiting {
  readonly turn: Turn;
  readonly cancelTimeout: Cancel;
}

/**
 * The order of one producer's sets within one session: none is applied before its predecessor.
 *
 * Numbers start at 1 in every session. A producer whose first set arrives with a higher number has others under way
 * which overtook nothing: that set waits like any other early one. (To start at whatever comes first would apply the
 * second set before the first whenever a new producer's first two change places on the way, and that is just when
 * order is asked for.) A number is used up when its set was applied. A set that was turned away, because of a rate limit
 * or a failing engine, keeps its number for the next attempt. One that was refused for its content keeps it as well, and
 * those behind it do not wait: its producer may have to send it in parts before them, under numbers of another producer.
 */
export class SetOrder {
  readonly #timeouts: TimeoutQueue;
  readonly #waiting = new Map<number, Waiting[]>();
  #next = 1;
  #waitingCount = 0;
  #isRunning = false;
  /** The set that is next was refused: those behind it wait in vain. */
  #isRefused = false;
  #isClosed = false;

  /** @param timeouts - how long an early set waits */
  constructor(timeouts: TimeoutQueue) {
    this.#timeouts = timeouts;
  }

  /** Sets that wait for their predecessors. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** Whether nothing runs or waits. */
  get isIdle(): boolean {
    return !this.#isRunning && this.#waitingCount === 0;
  }

  /** Whether a set with this number would have to wait. */
  isEarly(number: number): boolean {
    return number > this.#next || (number === this.#next && this.#isRunning);
  }

  enter(number: number, turn: Turn): void {
    if (this.#isClosed) turn.late();
    else if (number < this.#next) turn.past();
    else if (number > this.#next && this.#isRefused) turn.late();
    else if (this.isEarly(number)) this.#wait(number, turn);
    else this.#run(turn);
  }

  /** The running set was applied: its number is used up. */
  applied(): void {
    this.#isRunning = false;
    this.#isRefused = false;
    const done = this.#next;
    this.#next += 1;
    // Repeats of the set that ran.
    for (let turn = this.#take(done); turn !== undefined; turn = this.#take(done)) turn.past();
    this.#runNext();
  }

  /** The running set was refused: its number is free, and whoever waits for it is turned away. */
  refused(): void {
    this.#isRunning = false;
    this.#isRefused = true;
    this.#turnAway((number) => number > this.#next);
    this.#runNext();
  }

  /** The running set was not decided: its number is free for another attempt. */
  released(): void {
    this.#isRunning = false;
    this.#runNext();
  }

  /** Turns all away that wait. */
  close(): void {
    this.#isClosed = true;
    this.#turnAway(() => true);
  }

  #turnAway(isMeant: (number: number) => boolean): void {
    for (const number of [...this.#waiting.keys()].filter(isMeant)) {
      for (let turn = this.#take(number); turn !== undefined; turn = this.#take(number))
        turn.late();
    }
  }

  #runNext(): void {
    const turn = this.#take(this.#next);
    if (turn !== undefined) this.#run(turn);
  }

  #run(turn: Turn): void {
    this.#isRunning = true;
    turn.run();
  }

  #wait(number: number, turn: Turn): void {
    const list = this.#waiting.get(number) ?? [];
    this.#waiting.set(number, list);
    const cancelTimeout = this.#timeouts.add(() => {
      this.#remove(number, entry);
      turn.late();
    });
    const entry = { turn, cancelTimeout };
    list.push(entry);
    this.#waitingCount += 1;
  }

  #take(number: number): Turn | undefined {
    const entry = this.#waiting.get(number)?.[0];
    if (entry === undefined) return undefined;
    this.#remove(number, entry);
    entry.cancelTimeout();
    return entry.turn;
  }

  #remove(number: number, entry: Waiting): void {
    const list = this.#waiting.get(number);
    if (list === undefined) return;
    list.splice(list.indexOf(entry), 1);
    this.#waitingCount -= 1;
    if (list.length === 0) this.#waiting.delete(number);
  }
}
