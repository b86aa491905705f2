import type { Clock } from "../../primitives/clock.js";
import type { Log, LogRecord } from "../log.js";

/** From the gravest to the least. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const DEFAULT_LOG_LEVEL: LogLevel = "info";

/** A stranger who is refused again and again must not fill the disk: records of one event in one window. */
const RECORDS_MAX = 50;
const WINDOW_MS = 10_000;

interface Window {
  readonly fromMs: number;
  records: number;
}

export interface LogLinesOptions {
  readonly level: LogLevel;
  readonly clock: Pick<Clock, "now">;
  readonly write: (line: string) => void;
}

/**
 * Writes each record as a line with one JSON object: time, level, event, message, then its other fields. Warnings and
 * errors of one event that come in masses are counted, and no longer written one by one.
 */
export function logLines({ level, clock, write }: LogLinesOptions): Log {
  const levels: ReadonlySet<string> = new Set(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1));
  const windows = new Map<string, Window>();
  const put = ({ time, level: own, event, message, ...fields }: LogRecord): void => {
    const at = new Date(time).toISOString();
    write(`${JSON.stringify({ time: at, level: own, event, message, ...fields })}\n`);
  };
  return (record) => {
    if (!levels.has(record.level)) return;
    if (record.level === "error" || record.level === "warn") {
      const now = clock.now();
      const window = windows.get(record.event);
      if (window !== undefined && now - window.fromMs < WINDOW_MS) {
        window.records += 1;
        if (window.records > RECORDS_MAX) return;
      } else {
        const left = (window?.records ?? 0) - RECORDS_MAX;
        windows.set(record.event, { fromMs: now, records: 1 });
        if (left > 0) put(leftOut(record, left));
      }
    }
    put(record);
  };
}

const leftOut = ({ level, event, time }: LogRecord, count: number): LogRecord => ({
  level,
  event: "log-left-out",
  message: `${count} more records of ${event} were not written`,
  time,
  of: event,
  count,
});
