import type { Cancel, Clock } from "../../src/primitives/clock.js";

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  #nextId = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  constructor(wallStart = 1_700_000_000_000) {
    this.#wallOffset = wallStart;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallOffset + this.#now;
  }

  /** The wall clock is set by so many ms; durations are not touched by that. */
  stepWall(byMs: number): void {
    this.#wallOffset += byMs;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  schedule(delayMs: number, callback: () => void): Cancel {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#timers.set(id, { at: this.#now + Math.max(0, delayMs), callback });
    return () => void this.#timers.delete(id);
  }

  /** Lets `ms` pass: every timer runs at its moment, and what it sets off settles before the next one. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const due = this.#first(until);
      if (due === undefined) break;
      const [id, { at, callback }] = due;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = until;
    await settled();
  }

  #first(until: number): [number, { at: number; callback: () => void }] | undefined {
    let first: [number, { at: number; callback: () => void }] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= until && (first === undefined || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }
}

/** Everything that promises alone can set off has happened. */
export const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
