/** What the fields of xrtc-in may hold, for its dialog as for the runtime: one rule, not two. */

/** Seconds between two probes: less is what a stream is for, and a timer holds no more than 24 days. */
export const PROBE_SECONDS = { min: 1, max: 86_400 } as const;

const UNIX_MS = /^\d{1,16}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?$/;

/**
 * The moment in UNIX ms, or undefined when the text is none: a whole number of ms, or an ISO 8601 date or time. One
 * without a zone means the time of this machine, a date alone its midnight.
 */
export function timeMs(text: string): number | undefined {
  const trimmed = text.trim();
  const moment = UNIX_MS.test(trimmed) ? Number(trimmed) : isoMs(trimmed);
  return Number.isSafeInteger(moment) && moment >= 0 ? moment : undefined;
}

function isoMs(text: string): number {
  // Without a time of day, JavaScript would take it for UTC.
  if (DATE.test(text)) return Date.parse(`${text}T00:00`);
  return TIME.test(text) ? Date.parse(text.replace(" ", "T")) : NaN;
}
