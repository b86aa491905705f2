/** How many requests a month has room for, and what follows when it gets scarce. Pure. */

import type { Clock } from "../primitives/clock.js";

/** Requests of a calendar month. */
export interface MonthCount {
  /** Calendar month in UTC, as `2026-11`. */
  readonly month: string;
  readonly used: number;
}

/** Where the count outlives the process, and where several clients may count together. A count that is late is no harm. */
export interface CounterStore {
  /** What is kept; asked for at the start, and after each save for what others added. */
  load(): MonthCount | undefined;
  /** Keeps the count; called rarely, and once more when the client closes. */
  save(count: MonthCount): void;
}

/**
 * `ok`; `warn` from 80 % on; `stretch` from 95 % on, when requests are spread over the rest of the month; `stop` when
 * nothing is left.
 */
export type BudgetLevel = "ok" | "warn" | "stretch" | "stop";

export interface MonthUse extends MonthCount {
  readonly max: number;
  readonly level: BudgetLevel;
}

const WARN_AT = 0.8;
const STRETCH_AT = 0.95;
/** Requests and milliseconds after which the count is kept; a process that dies forgets no more than that. */
const SAVE_COUNT = 100;
const SAVE_MS = 10_000;

export class MonthBudget {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #store: CounterStore | undefined;
  #month: string;
  #used: number;
  /** UNIX ms before which the month need not be looked at again. */
  #monthEndsAt = -Infinity;
  #unsaved = 0;
  #savedAt: number;
  #lastAt = -Infinity;

  constructor(max: number, clock: Clock, store?: CounterStore) {
    this.#max = max;
    this.#clock = clock;
    this.#store = store;
    this.#savedAt = clock.now();
    const month = monthOf(clock.wallNow());
    const kept = store?.load();
    this.#month = month;
    this.#used = kept?.month === month ? kept.used : 0;
  }

  get use(): MonthUse {
    return { month: this.#month, used: this.#used, max: this.#max, level: this.level };
  }

  get level(): BudgetLevel {
    const share = this.#used / this.#max;
    if (share >= 1) return "stop";
    if (share >= STRETCH_AT) return "stretch";
    return share >= WARN_AT ? "warn" : "ok";
  }

  /** @returns how many ms to wait before a request may go out; 0 when it may now; undefined when none may any more */
  waitMs(): number | undefined {
    this.#turnMonth();
    const { level } = this;
    if (level === "stop") return undefined;
    if (level !== "stretch") return 0;
    const left = monthEnd(this.#clock.wallNow()) - this.#clock.wallNow();
    const spacing = left / (this.#max - this.#used);
    return Math.max(0, this.#lastAt + spacing - this.#clock.now());
  }

  /** A request goes out. */
  take(): void {
    this.#used += 1;
    this.#lastAt = this.#clock.now();
    this.#unsaved += 1;
    if (this.#unsaved >= SAVE_COUNT || this.#lastAt - this.#savedAt >= SAVE_MS) this.save();
  }

  save(): void {
    if (this.#unsaved === 0) return;
    this.#unsaved = 0;
    this.#savedAt = this.#clock.now();
    this.#store?.save({ month: this.#month, used: this.#used });
    // Others may count in the same place. What cannot be read back is known here.
    const kept = this.#store?.load();
    if (kept?.month === this.#month) this.#used = Math.max(this.#used, kept.used);
  }

  /** A wall clock that steps back does not give a month anew. */
  #turnMonth(): void {
    const now = this.#clock.wallNow();
    // Asked for each request, and the calendar is dear.
    if (now < this.#monthEndsAt) return;
    this.#monthEndsAt = monthEnd(now);
    const month = monthOf(now);
    if (month <= this.#month) return;
    this.#month = month;
    this.#used = 0;
  }
}

const monthOf = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 7);

function monthEnd(wallMs: number): number {
  const date = new Date(wallMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
