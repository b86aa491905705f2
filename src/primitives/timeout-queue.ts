import type { Cancel, Clock } from "./clock.js";

interface Entry {
  readonly dueAtMs: number;
  readonly callback: () => void;
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
  readonly #entries = new Set<Entry>();
  #cancelTimer: Cancel | undefined;

  constructor(delayMs: number, clock: Clock) {
    this.#delayMs = delayMs;
    this.#clock = clock;
  }

  get length(): number {
    return this.#entries.size;
  }

  /** Calls back once after the delay unless cancelled before. */
  add(callback: () => void): Cancel {
    const entry = { dueAtMs: this.#clock.now() + this.#delayMs, callback };
    this.#entries.add(entry);
    this.#cancelTimer ??= this.#clock.schedule(this.#delayMs, this.#run);
    return () => {
      this.#entries.delete(entry);
      // Nothing is left behind that keeps a process alive.
      if (this.#entries.size === 0) this.clear();
    };
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  readonly #run = (): void => {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    for (const entry of this.#entries) {
      if (entry.dueAtMs > now + EARLY_MS) {
        this.#cancelTimer ??= this.#clock.schedule(entry.dueAtMs - now, this.#run);
        return;
      }
      this.#entries.delete(entry);
      entry.callback();
    }
  };
}
