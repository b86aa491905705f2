import type { Cancel, Clock } from "./clock.js";

/** Something whose time may come to its end. */
export interface Expiring {
  expire(): void;
}

/** The system's timers may ring a fraction of a millisecond before the monotonic clock agrees. */
const EARLY_MS = 0.5;

/**
 * Any number of timeouts of one and the same length on a single timer. As all are equally long, they come due in the
 * order in which they were added: adding and cancelling one costs the same however many there are.
 */
export class TimeoutQueue {
  readonly #delayMs: number;
  readonly #clock: Clock;
  /** When each is due, in the order of their coming. */
  readonly #dueAtMs = new Map<Expiring, number>();
  #cancelTimer: Cancel | undefined;

  constructor(delayMs: number, clock: Clock) {
    this.#delayMs = delayMs;
    this.#clock = clock;
  }

  get length(): number {
    return this.#dueAtMs.size;
  }

  /** Calls back once after the delay unless cancelled before. */
  add(callback: () => void): Cancel {
    const owner = { expire: callback };
    this.watch(owner);
    return () => this.unwatch(owner);
  }

  /** The same for an object, of which thousands wait: nothing is made for it. */
  watch(owner: Expiring): void {
    this.#dueAtMs.set(owner, this.#clock.now() + this.#delayMs);
    this.#cancelTimer ??= this.#clock.schedule(this.#delayMs, this.#run);
  }

  unwatch(owner: Expiring): void {
    this.#dueAtMs.delete(owner);
    // Nothing is left behind that keeps a process alive.
    if (this.#dueAtMs.size === 0) this.clear();
  }

  /** Forgets all. */
  clear(): void {
    this.#dueAtMs.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  readonly #run = (): void => {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    for (const [owner, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > now + EARLY_MS) {
        this.#cancelTimer ??= this.#clock.schedule(dueAtMs - now, this.#run);
        return;
      }
      this.#dueAtMs.delete(owner);
      owner.expire();
    }
  };
}
