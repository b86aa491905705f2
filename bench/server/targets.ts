/** What the server's figures are held against. */

import { most, type Bound, type Target } from "../targets.js";
import type { ServerSection } from "../sections.js";
import { GROWTH_NAMES, SERVER_NAMES, SET_WAYS } from "./plan.js";

const { memory, other, bare, mqtt0, mqtt1, mqttJs } = SERVER_NAMES;
const { everysec, always, redis, xadd, xaddEverysec, xaddAlways } = SERVER_NAMES;

const ratio = (
  way: ServerSection,
  figure: string,
  [contender, base]: readonly [string, string],
  bound?: Bound,
): Target => ({
  way,
  what: `${contender}, ${figure} over ${base}`,
  of: { contender, figure },
  over: { contender: base, figure },
  ...(bound === undefined ? {} : { bound }),
});

/** A figure that is held against a number, and not against a contender. */
const number = (way: ServerSection, figure: string, contender: string, bound: Bound): Target => ({
  way,
  what: `${contender}, ${figure}`,
  of: { contender, figure },
  over: 1,
  bound,
});

const FAN_OUT = ["1 reader, p50", "100 readers, p50", "1,000 readers, p50"];

export const SERVER_TARGETS: readonly Target[] = [
  number("waiting", "heap, kB", memory, most(10)),
  ratio("waiting", "resident, kB", [memory, bare], most(1.5)),
  ratio("waiting", "resident after an item, kB", [memory, bare]),
  ratio("waiting", "whole process, MB", [memory, bare]),
  ratio("waiting", "heap, kB", [memory, bare]),
  ratio("waiting", "last served, ms", [memory, bare]),
  ...FAN_OUT.flatMap((figure) => [
    ratio("fan-out", figure, [memory, mqtt1], figure.startsWith("1,000") ? most(1.5) : undefined),
    ratio("fan-out", figure, [memory, mqtt0]),
    ratio("fan-out", figure, [memory, bare]),
    ratio("fan-out", figure, [redis, mqtt1]),
  ]),
  ...Object.values(SET_WAYS).flatMap(({ name }) => [
    ratio("sets", name, [memory, mqttJs]),
    ratio("sets", name, [memory, xadd]),
    ratio("sets", name, [everysec, xaddEverysec]),
    ratio("sets", name, [always, xaddAlways]),
    ratio("sets", `${name}, µs`, [memory, xadd]),
  ]),
  ...Object.values(GROWTH_NAMES).flatMap((name) => [
    number("growth", "1 a request, growth", name, most(1.1)),
    number("growth", "100 a request, growth", name, most(1.1)),
  ]),
  // Another build of this package, where one was given.
  ratio("waiting", "heap, kB", [memory, other]),
  ratio("waiting", "resident, kB", [memory, other]),
  ratio("waiting", "last served, ms", [memory, other]),
  ...FAN_OUT.map((figure) => ratio("fan-out", figure, [memory, other])),
  ratio("fan-out", "1,000 readers, µs a delivery", [memory, other]),
  ...Object.values(SET_WAYS).flatMap(({ name }) => [
    ratio("sets", name, [memory, other]),
    ratio("sets", `${name}, µs`, [memory, other]),
  ]),
];
