import type { Random } from "./random.js";

export interface BackoffOptions {
  /** First ceiling in ms. @defaultValue 250 */
  readonly delayMsFirst?: number;
  /** Greatest ceiling in ms during the first minute of an outage. @defaultValue 3000 */
  readonly delayMsMaxEarly?: number;
  /** Greatest ceiling in ms after that. @defaultValue 30000 */
  readonly delayMsMax?: number;
  /** Length in ms of what counts as early. @defaultValue 60000 */
  readonly earlyMs?: number;
}

/**
 * How long to wait before the next attempt: random between 0.1·c and c, c doubling with each failure in a row.
 * Random over nearly the whole range, because clients that lost one server together must not return together.
 *
 * @param failures - failures in a row, 1 or more
 * @param outageMs - how long the outage has lasted
 */
export function backoffMs(
  failures: number,
  outageMs: number,
  random: Random,
  options: BackoffOptions = {},
): number {
  const {
    delayMsFirst = 250,
    delayMsMaxEarly = 3_000,
    delayMsMax = 30_000,
    earlyMs = 60_000,
  } = options;
  const max = outageMs < earlyMs ? delayMsMaxEarly : delayMsMax;
  const ceiling = Math.min(max, delayMsFirst * 2 ** Math.min(failures - 1, 20));
  return ceiling * (0.1 + 0.9 * random.next());
}
