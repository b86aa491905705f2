import type { Clock } from "../primitives/clock.js";

/** One thing that the server has to tell. Never a key, a cookie or a payload. */
export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  /** A word for machines, such as `login-refused`. */
  readonly event: string;
  /** A sentence for people. */
  readonly message: string;
  /** UNIX milliseconds, UTC. */
  readonly time: number;
  readonly [field: string]: string | number | boolean;
}

/** Takes what the server has to tell: never a key, a cookie or a payload. */
export type Log = (record: LogRecord) => void;

export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Writes records with the time of a clock. */
export class Logger {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "wallNow">;

  constructor(log: Log, clock: Pick<Clock, "wallNow">) {
    this.#log = log;
    this.#clock = clock;
  }

  write(level: LogRecord["level"], event: string, message: string, fields: LogFields = {}): void {
    this.#log({ ...fields, level, event, message, time: this.#clock.wallNow() });
  }
}
