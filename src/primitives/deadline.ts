import type { Clock } from "./clock.js";
import { Abort, type Signal } from "./signal.js";

/**
 * A signal that follows another one and a clock. `dispose` ends both ties; without it the parent would keep a
 * listener for each request that it ever had.
 */
export class Deadline {
  readonly #abort = new Abort();
  readonly #clock: Clock;
  readonly #parent: Signal | undefined;
  readonly #onParent = (): void => this.abort(this.#parent?.reason as Error);
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, parent?: Signal) {
    this.#clock = clock;
    this.#parent = parent;
    if (parent?.aborted) this.#abort.abort(parent.reason);
    else parent?.addEventListener("abort", this.#onParent, { once: true });
  }

  get signal(): Signal {
    return this.#abort;
  }

  /** Aborts with `reason()` after `delayMs`, in place of what was set before. */
  set(delayMs: number, reason: () => Error): void {
    this.clear();
    this.#cancelTimer = this.#clock.schedule(delayMs, () => this.abort(reason()));
  }

  /** Calls back after `delayMs`, in place of what was set before, unless disposed of. */
  onTime(delayMs: number, callback: () => void): void {
    this.clear();
    this.#cancelTimer = this.#clock.schedule(delayMs, callback);
  }

  /** Takes the time limit away; the tie to the parent stays. */
  clear(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  abort(reason: Error): void {
    this.dispose();
    this.#abort.abort(reason);
  }

  dispose(): void {
    this.clear();
    this.#parent?.removeEventListener("abort", this.#onParent);
  }
}

/**
 * The result of `promise`, or the signal's reason if that comes first. The promise itself goes on; whoever made it
 * must see to its end.
 */
export function abortable<T>(promise: Promise<T>, signal: Signal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
