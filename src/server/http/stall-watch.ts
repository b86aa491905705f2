import type { Cancel, Clock } from "../../primitives/clock.js";
import type { HttpReply, ReplyWatcher } from "./http-reply.js";

export interface StallWatchOptions {
  /** Milliseconds that a reader may take nothing. */
  readonly stallTimeoutMs: number;
  /** Milliseconds between two looks. */
  readonly checkIntervalMs: number;
  readonly clock: Clock;
}

/** Breaks off connections whose reader does not read. Costs nothing while all read. */
export class StallWatch implements ReplyWatcher {
  readonly #options: StallWatchOptions;
  /** Since when each waits. */
  readonly #waiting = new Map<HttpReply, number>();
  #cancelCheck: Cancel | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  waiting(reply: HttpReply): void {
    if (!this.#waiting.has(reply)) this.#waiting.set(reply, this.#options.clock.now());
    this.#scheduleCheck();
  }

  flowing(reply: HttpReply): void {
    this.#waiting.delete(reply);
    if (this.#waiting.size > 0) return;
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
  }

  #scheduleCheck(): void {
    const { clock, checkIntervalMs } = this.#options;
    this.#cancelCheck ??= clock.schedule(checkIntervalMs, this.#check);
  }

  readonly #check = (): void => {
    this.#cancelCheck = undefined;
    const before = this.#options.clock.now() - this.#options.stallTimeoutMs;
    for (const [reply, since] of [...this.#waiting]) {
      if (since <= before) reply.destroy();
    }
    if (this.#waiting.size > 0) this.#scheduleCheck();
  };
}
