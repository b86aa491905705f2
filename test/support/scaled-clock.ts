import type { Clock } from "../../src/primitives/clock.js";

/**
 * The system's time, so many times as fast: deadlines of seconds come about in fractions of one, on real sockets. Give
 * the same one to both sides, or their ideas of a second differ.
 */
export function scaledClock(factor: number): Clock {
  const startedAt = performance.now();
  const wallStart = Date.now();
  const elapsed = (): number => (performance.now() - startedAt) * factor;
  return {
    now: () => elapsed(),
    wallNow: () => wallStart + elapsed(),
    schedule(delayMs, callback) {
      const timer = setTimeout(callback, Math.max(0, delayMs) / factor);
      return () => clearTimeout(timer);
    },
  };
}
