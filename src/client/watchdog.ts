import type { Clock } from "../primitives/clock.js";
import type { Deadline } from "../primitives/deadline.js";
import { timeoutError } from "../session/login-keeper.js";

/**
 * Bounds the time that is spent waiting for bytes. The time that our own reader takes over them does not count: when it
 * is slow, the socket is not read, and that is as it should be.
 */
export class Watchdog {
  readonly #deadline: Deadline;
  readonly #clock: Clock;
  #startedAt = 0;
  readonly #silenceMs: number;
  readonly #totalMs: number;
  #armedUntil = 0;
  #waitingSince: number | undefined;

  constructor(
    deadline: Deadline,
    clock: Clock,
    { silenceMs, totalMs }: { readonly silenceMs: number; readonly totalMs: number },
  ) {
    this.#deadline = deadline;
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#totalMs = totalMs;
  }

  /** The request goes out: all durations count from here. */
  start(): void {
    this.#startedAt = this.#clock.now();
    this.wait();
  }

  /** Nobody waits for bytes now. The timer stays, and looks again when it fires: setting it for each chunk is dear. */
  rest(): void {
    this.#waitingSince = undefined;
  }

  /** Somebody waits for bytes now. */
  wait(): void {
    const now = this.#clock.now();
    this.#waitingSince = now;
    if (this.#armedUntil > now) return;
    this.#arm(this.#silenceMs);
  }

  #arm(delayMs: number): void {
    this.#armedUntil = this.#clock.now() + delayMs;
    this.#deadline.onTime(delayMs, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const since = this.#waitingSince;
    if (since === undefined) return;
    const left = Math.min(since + this.#silenceMs, this.#startedAt + this.#totalMs) - now;
    if (left <= 0) {
      this.#deadline.abort(timeoutError("The wait for the answer", Math.round(now - since)));
    } else this.#arm(left);
  }
}
