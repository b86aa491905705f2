import type { Clock } from "../../../primitives/clock.js";

/** The calendar month, UTC, by the server's clock; looked up for each request, and the calendar is dear. */
export class Month {
  readonly #clock: Pick<Clock, "wallNow">;
  #from = Number.POSITIVE_INFINITY;
  #end = Number.NEGATIVE_INFINITY;
  #name = "";

  constructor(clock: Pick<Clock, "wallNow">) {
    this.#clock = clock;
  }

  /** Such as `2026-11`. */
  get name(): string {
    this.#turn();
    return this.#name;
  }

  /** UNIX ms. */
  get end(): number {
    this.#turn();
    return this.#end;
  }

  /** Milliseconds that are left of it. */
  get restMs(): number {
    return Math.max(1, this.end - this.#clock.wallNow());
  }

  #turn(): void {
    const wallNow = this.#clock.wallNow();
    if (wallNow >= this.#from && wallNow < this.#end) return;
    const now = new Date(wallNow);
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    this.#from = Date.UTC(year, month);
    this.#end = Date.UTC(year, month + 1);
    this.#name = now.toISOString().slice(0, 7);
  }
}
