/** What the figures are held against: ratios within one round, because figures of different hours cannot be compared. */

import { DELAY_MS, NAMES, type Way } from "./plan.js";
import type { Run } from "./run.js";
import type { Section } from "./sections.js";
import { spreadOf, type Spread } from "./statistics.js";

interface Figure {
  readonly contender: string;
  readonly figure: string;
}

export interface Bound {
  readonly kind: "most" | "least";
  readonly value: number;
}

export interface Target {
  readonly way: Section;
  readonly what: string;
  readonly of: Figure;
  /** A figure of the same round, or a number of the same unit. */
  readonly over: Figure | number;
  /** `most` or `least`; a comparison without a bound tells only how things stand. */
  readonly bound?: Bound;
}

export interface Verdict {
  readonly way: Section;
  readonly what: string;
  readonly ratio: Spread;
  readonly rounds: number;
  readonly bound?: Bound;
  readonly met: boolean | undefined;
}

export const most = (value: number): Bound => ({ kind: "most", value });
export const least = (value: number): Bound => ({ kind: "least", value });

/** The one way of a set and the one way of what is pushed. */
const PHYSICAL_MS = 2 * DELAY_MS;

const latency = (
  way: Way,
  [contender, other]: readonly [string, string | number],
  [figure, bound]: readonly [string, number | undefined],
): Target => ({
  way,
  what: `${contender}, ${figure} over ${typeof other === "number" ? `${other} ms` : other}`,
  of: { contender, figure },
  over: typeof other === "number" ? other : { contender: other, figure },
  ...(bound === undefined ? {} : { bound: most(bound) }),
});

const rate = (
  way: Way,
  [contender, other]: readonly [string, string],
  bound: number | undefined,
): Target => ({
  way,
  what: `${contender}, rate over ${other}`,
  of: { contender, figure: "rate" },
  over: { contender: other, figure: "rate" },
  ...(bound === undefined ? {} : { bound: least(bound) }),
});

const { sdk, unlimited, floor, mqtt, mqttNoDelay, other, otherUnlimited } = NAMES;

export const TARGETS: readonly Target[] = [
  ...[sdk, unlimited].flatMap((name) => [
    latency("loopback", [name, floor], ["100/s p50", 1.15]),
    latency("loopback", [name, floor], ["1000/s p50", 1.15]),
    latency("loopback", [name, mqtt], ["100/s p50", 1.9]),
    latency("loopback", [name, mqtt], ["1000/s p50", 1.6]),
    rate("loopback", [name, mqtt], 3),
  ]),
  rate("loopback", [sdk, mqttNoDelay], undefined),
  rate("loopback", [sdk, NAMES.oneByOne], 100),
  rate("loopback", [sdk, NAMES.oneByOneUnlimited], undefined),
  rate("loopback", [NAMES.kilobyte, mqtt], 0.9),
  // The cost of the promises: with the same batches, one request in flight.
  rate("loopback", [NAMES.serial, NAMES.bareLoop], 0.85),
  latency("loopback", [NAMES.serial, NAMES.bareLoop], ["rate, µs an item", undefined]),
  rate("loopback", [NAMES.serial, NAMES.stripped], undefined),
  rate("loopback", [unlimited, NAMES.bareLoop], undefined),
  latency("delayed", [NAMES.hosted, PHYSICAL_MS], ["10/s p50", 1.05]),
  latency("delayed", [sdk, PHYSICAL_MS], ["50/s p50", 1.05]),
  latency("delayed", [sdk, PHYSICAL_MS], ["200/s p50", 1.05]),
  latency("delayed", [sdk, PHYSICAL_MS], ["50/s p99", 1.25]),
  latency("delayed", [sdk, PHYSICAL_MS], ["200/s p99", 1.25]),
  latency("delayed", [floor, PHYSICAL_MS], ["50/s p50", undefined]),
  latency("delayed", [floor, PHYSICAL_MS], ["200/s p50", undefined]),
  latency("delayed", [sdk, mqtt], ["50/s p50", 0.5]),
  latency("delayed", [sdk, mqttNoDelay], ["50/s p50", 1.05]),
  latency("delayed", [sdk, mqttNoDelay], ["200/s p50", 1.05]),
  rate("delayed", [sdk, mqtt], 1),
  rate("delayed", [sdk, mqttNoDelay], 1),
  rate("delayed", [NAMES.window, mqttNoDelay], undefined),
  rate("delayed", [sdk, NAMES.oneByOne], undefined),
  // Another build of this package, where one was given.
  ...[[sdk, other] as const, [unlimited, otherUnlimited] as const].flatMap((pair) => [
    latency("loopback", pair, ["100/s p50", undefined]),
    latency("loopback", pair, ["1000/s p50", undefined]),
    rate("loopback", pair, undefined),
    latency("loopback", pair, ["100/s, µs an item", undefined]),
    latency("loopback", pair, ["1000/s, µs an item", undefined]),
    latency("loopback", pair, ["rate, µs an item", undefined]),
  ]),
  latency("delayed", [sdk, other], ["50/s p50", undefined]),
  latency("delayed", [sdk, other], ["200/s p50", undefined]),
  rate("delayed", [sdk, other], undefined),
];

/** Holds runs against the targets; one whose figures were not measured is left out. */
export function verdicts(runs: readonly Run[], targets: readonly Target[]): readonly Verdict[] {
  return targets.flatMap(({ way, what, of, over, bound }): Verdict[] => {
    const rounds = [...new Set(runs.map(({ round }) => round))];
    const valueIn = (round: number, { contender, figure }: Figure): number | undefined =>
      runs.find((run) => run.round === round && run.way === way && run.contender === contender)
        ?.figures[figure];
    const ratios = rounds.flatMap((round) => {
      const value = valueIn(round, of);
      const base = typeof over === "number" ? over : valueIn(round, over);
      return value === undefined || base === undefined ? [] : [value / base];
    });
    if (ratios.length === 0) return [];
    const ratio = spreadOf(ratios);
    const common = { way, what, ratio, rounds: ratios.length };
    if (bound === undefined) return [{ ...common, met: undefined }];
    const met = bound.kind === "most" ? ratio.median <= bound.value : ratio.median >= bound.value;
    return [{ ...common, bound, met }];
  });
}
