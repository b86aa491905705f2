import type { Cut, Exchange, Fault, Plan } from "./faults.js";
import { oneOf, seededRandom, wholeBelow } from "./seeded-random.js";

const HTML = "<!doctype html><title>Bad gateway</title><h1>Try again</h1>";
const DENIED = '{"error":{"errorgroup":6,"errorcode":10011,"errormessage":"session invalidated"}}';

export interface MixedFaultsOptions {
  readonly seed: number;
  /** Share of exchanges with which something goes wrong, 0 to 1. */
  readonly share: number;
}

/** A bit of everything that a network does, decided by the seed and by the place of an exchange on its path. */
export function mixedFaults({ seed, share }: MixedFaultsOptions): {
  readonly plan: Plan;
  /** How often each has been done. */
  readonly counts: ReadonlyMap<string, number>;
} {
  const counts = new Map<string, number>();
  const plan = (exchange: Exchange): Fault | undefined => {
    const next = randomOf(seed, exchange);
    // There are far fewer gets than sets, and each carries far more.
    if (next() >= (exchange.path.endsWith("/get") ? 5 * share : share)) return undefined;
    const fault = faultOf(exchange.path, next);
    const name = `${exchange.path.split("/").at(-1)} ${nameOf(fault)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return fault;
  };
  return { plan, counts };
}

function randomOf(seed: number, { path, pathIndex }: Exchange): () => number {
  let hash = seed >>> 0;
  for (const character of `${path}#${pathIndex}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619);
  }
  return seededRandom(hash);
}

const nameOf = (fault: Fault): string =>
  fault.kind === "answer" ? `answer ${fault.status}` : fault.kind;

const CUTS: readonly [Cut, ...Cut[]] = ["rst", "fin"];

function faultOf(path: string, next: () => number): Fault {
  if (path.endsWith("/login")) return loginFault(next);
  return path.endsWith("/set") ? setFault(next) : getFault(next);
}

const html = (next: () => number): Fault => ({
  kind: "answer",
  status: oneOf(next, [500, 502, 503, 504]),
  headers: { "content-type": "text/html" },
  body: HTML,
});

const loginFault = (next: () => number): Fault =>
  oneOf<() => Fault>(next, [
    () => html(next),
    () => ({ kind: "refuse", how: oneOf(next, CUTS) }),
    () => ({ kind: "cut-response", afterBytes: wholeBelow(next, 60), how: oneOf(next, CUTS) }),
  ])();

const setFault = (next: () => number): Fault =>
  oneOf<() => Fault>(next, [
    () => html(next),
    () => ({ kind: "answer", status: 401, body: DENIED }),
    () => ({ kind: "refuse", how: oneOf(next, CUTS) }),
    () => ({ kind: "cut-request", afterBytes: wholeBelow(next, 4_000), how: oneOf(next, CUTS) }),
    () => ({
      kind: "cut-response",
      afterBytes: wholeBelow(next, 32),
      how: oneOf(next, [...CUTS, "clean"] as const),
    }),
    () => ({ kind: "swallow" }),
    () => ({ kind: "black-hole", direction: oneOf(next, ["up", "down", "both"] as const) }),
    () => ({ kind: "delay", ms: wholeBelow(next, 40), of: oneOf(next, ["request", "response"]) }),
    () => ({ kind: "slice", bytes: 1 + wholeBelow(next, 7) }),
  ])();

const getFault = (next: () => number): Fault =>
  oneOf<() => Fault>(next, [
    () => html(next),
    () => ({ kind: "answer", status: 401, body: DENIED }),
    () => ({ kind: "refuse", how: oneOf(next, CUTS) }),
    // Cuts are what a stream suffers most: they come in four of nine.
    ...([2_000, 20_000, 200_000, 200_000] as const).map((below) => (): Fault => ({
      kind: "cut-response",
      afterBytes: wholeBelow(next, below),
      how: oneOf(next, [...CUTS, "clean", "clean"] as const),
    })),
    () => ({ kind: "black-hole", direction: "down", afterBytes: wholeBelow(next, 20_000) }),
    () => ({ kind: "duplicate-line", line: wholeBelow(next, 20) }),
    () => ({ kind: "slice", bytes: 100 + wholeBelow(next, 2_000) }),
    () => ({ kind: "delay", ms: wholeBelow(next, 40), of: oneOf(next, ["request", "response"]) }),
  ])();
