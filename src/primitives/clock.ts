/** Time as a parameter: everything below the shells takes a {@link Clock}, so that it also runs in virtual time. */

import type { Signal } from "./signal.js";

/** Cancels what was scheduled; calling it again, or after the callback ran, does nothing. */
export type Cancel = () => void;

/** Time as a parameter: of the system, or virtual. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary moment: for durations and deadlines. */
  now(): number;
  /** UNIX milliseconds, UTC: for what people and calendars see. It may jump. */
  wallNow(): number;
  /** Calls back once after `delayMs` (0 or more) unless cancelled before. */
  schedule(delayMs: number, callback: () => void): Cancel;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves after `delayMs`.
 *
 * @throws the signal's reason when it is, or becomes, aborted.
 */
export function sleep(clock: Clock, delayMs: number, signal?: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
