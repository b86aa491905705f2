import type { Cancel, Clock } from "../../src/primitives/clock.js";

interface Timer {
  at: number;
  order: number;
  readonly callback: () => void;
  readonly view: ClockView;
  /** Something from outside: it comes as soon as the machine runs again, however long it slept. */
  readonly isArrival: boolean;
  isDead: boolean;
}

export const WALL_START = 1_700_000_000_000;

/** Time for a whole simulated world. Everything that promises can set off settles between two timers. */
export class SimClock {
  #now = 0;
  #order = 0;
  #live = 0;
  readonly #heap: Timer[] = [];

  get now(): number {
    return this.#now;
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#live;
  }

  /** Time as one machine sees it. */
  view(): ClockView {
    return new ClockView(this);
  }

  add(at: number, callback: () => void, view: ClockView, isArrival: boolean): Cancel {
    this.#order += 1;
    const timer = { at, order: this.#order, callback, view, isArrival, isDead: false };
    this.#live += 1;
    this.#push(timer);
    return () => {
      if (timer.isDead) return;
      timer.isDead = true;
      this.#live -= 1;
      // Most timers are deadlines that are never reached.
      if (this.#heap.length > 2 * this.#live + 32) this.#sift(this.#heap.splice(0));
    };
  }

  /**
   * Runs the timers up to a moment, or until `done` says so.
   *
   * @returns whether `done` did
   */
  runUntil(until: number, done?: () => boolean): Promise<boolean> {
    return outside(() => this.run(until, done));
  }

  /** Runs what promises alone can set off. */
  settle(): void {
    runTicks();
  }

  /** The same within one turn of the loop, for who runs {@link outside} promises. */
  run(until: number, done?: () => boolean): boolean {
    assertOutside();
    for (;;) {
      runTicks();
      if (done?.() === true) return true;
      const timer = this.#next();
      if (timer === undefined || timer.at > until) break;
      this.#pop();
      timer.isDead = true;
      this.#live -= 1;
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
    }
    this.#now = Math.max(this.#now, until);
    return done?.() ?? false;
  }

  /** A machine sleeps: its timers come later, in their order. */
  reschedule(view: ClockView, toAt: (timer: Readonly<Timer>) => number): void {
    const own = this.#heap.filter((timer) => timer.view === view);
    own.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const timer of own) {
      timer.at = toAt(timer);
      this.#order += 1;
      timer.order = this.#order;
    }
    this.#sift(this.#heap.splice(0));
  }

  /** The first timer that is still set. */
  #next(): Timer | undefined {
    while (this.#heap[0]?.isDead === true) this.#pop();
    return this.#heap[0];
  }

  #sift(timers: readonly Timer[]): void {
    for (const timer of timers) if (!timer.isDead) this.#push(timer);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!precedes(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1] as Timer, heap[child] as Timer)) {
        child += 1;
      }
      if (!precedes(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

/** The clock of one machine. It may be suspended, and its calendar may be set. */
export class ClockView implements Clock {
  readonly #world: SimClock;
  #wallOffset = WALL_START;
  #asleepMs = 0;
  #awakeAt = 0;

  constructor(world: SimClock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now - this.#asleepMs;
  }

  /** Time as nobody in the world sees it. */
  get worldNow(): number {
    return this.#world.now;
  }

  wallNow(): number {
    return this.#world.now + this.#wallOffset;
  }

  schedule(delayMs: number, callback: () => void): Cancel {
    const at = Math.max(this.#world.now + Math.max(0, delayMs), this.#awakeAt);
    return this.#world.add(at, callback, this, false);
  }

  /** Something that comes from outside after `delayMs`, or as soon as the machine runs again. */
  arrive(delayMs: number, callback: () => void): Cancel {
    const at = Math.max(this.#world.now + delayMs, this.#awakeAt);
    return this.#world.add(at, callback, this, true);
  }

  stepWall(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** Nothing runs here for `ms`. `frozen`: the monotonic clock stands still meanwhile, as in a laptop that sleeps. */
  suspend(ms: number, mode: "stopped" | "frozen"): void {
    if (this.isAsleep) return;
    const until = this.#world.now + ms;
    this.#awakeAt = until;
    const frozen = mode === "frozen";
    if (frozen) this.#asleepMs += ms;
    this.#world.reschedule(this, ({ at, isArrival }) =>
      frozen && !isArrival ? at + ms : Math.max(at, until),
    );
  }

  get isAsleep(): boolean {
    return this.#world.now < this.#awakeAt;
  }
}

const precedes = (a: Timer, b: Timer): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

/** Runs something where no promise is being settled, as the system would run a timer. */
export const outside = <T>(act: () => T): Promise<T> =>
  new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(act());
      } catch (error) {
        reject(error);
      }
    });
  });

/**
 * What Node.js itself calls between two callbacks of its loop: everything that promises alone can set off happens, and
 * a rejection that nobody took is reported. Waiting for a turn of the loop would do the same at many times the cost.
 */
const { _tickCallback: runTicks } = process as unknown as { _tickCallback(): void };

/** While a promise is being settled, `runTicks` does nothing: the world would seem to stand still. */
function assertOutside(): void {
  let hasRun = false;
  queueMicrotask(() => {
    hasRun = true;
  });
  runTicks();
  if (!hasRun) throw new Error("The clock has to be run outside promises.");
}
