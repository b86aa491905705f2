/** What happens in one schedule: a setting and commands, all from one seed. */

import type { XrtcServerOptions } from "../../src/server/options.js";
import { fork, type Seeded } from "./seeded.js";

export type Fault =
  | "refuse"
  | "hang"
  | "resetBefore"
  | "resetAfter"
  | "swallow"
  | "late"
  | "cutReset"
  | "cutClean"
  | "hole"
  | "garble"
  | "deny"
  | "throttle"
  | "html"
  | "htmlAfter"
  | "captive"
  | "system"
  | "errorLine";

export const FAULTS: readonly Fault[] = [
  "refuse",
  "hang",
  "resetBefore",
  "resetAfter",
  "swallow",
  "late",
  "cutReset",
  "cutClean",
  "hole",
  "garble",
  "deny",
  "throttle",
  "html",
  "htmlAfter",
  "captive",
  "system",
  "errorLine",
];

export interface Weather {
  readonly rates: readonly (readonly [Fault, number])[];
  /** Longest way of a message, in ms. */
  readonly delayMsMax: number;
}

export const CALM: Weather = { rates: [], delayMsMax: 12 };

export interface SetCommand {
  readonly kind: "set";
  readonly client: number;
  /** Portals of its items. */
  readonly portals: readonly string[];
  readonly bytes: number;
  /** Its payloads are the same as those of other such sets. */
  readonly twin: boolean;
  readonly level: "atLeastOnce" | "atMostOnce";
  readonly ttlMs: number;
}

export interface SubscribeCommand {
  readonly kind: "subscribe";
  readonly slot: number;
  readonly portals: readonly string[];
  readonly start: "new" | "all";
  readonly mode: "stream" | "watch";
  readonly schedule: "FIFO" | "LIFO";
  readonly cutoff: number;
  readonly queueItemsMax: number;
  readonly slowMs: number;
  readonly name: string | undefined;
}

export type Action =
  | SetCommand
  | SubscribeCommand
  | { readonly kind: "burst"; readonly count: number; readonly set: SetCommand }
  | { readonly kind: "unsubscribe"; readonly slot: number }
  | { readonly kind: "get"; readonly portals: readonly string[]; readonly mode: "probe" | "watch" }
  | { readonly kind: "weather"; readonly weather: Weather; readonly ms: number }
  | { readonly kind: "restart"; readonly downMs: number }
  | { readonly kind: "killSessions" }
  | { readonly kind: "rival" }
  | { readonly kind: "stepServer"; readonly ms: number }
  | { readonly kind: "stepClient"; readonly ms: number }
  | { readonly kind: "suspend"; readonly ms: number; readonly mode: "stopped" | "frozen" };

export type Command = Action & { readonly at: number };

export interface Plan {
  readonly seed: number;
  readonly dialect: Required<NonNullable<XrtcServerOptions["dialect"]>>;
  readonly secondLogin: "keep" | "end";
  readonly preset: "hosted" | "local";
  readonly extensions: boolean;
  readonly ringItemsMax: number;
  readonly queueCountMax: number;
  /** The server takes smaller items than the client believes: some are refused. */
  readonly poison: boolean;
  /**
   * What the server keeps is elsewhere: it is had later, and sometimes not at all. Only for what this project's own
   * server is: one whose items are numbered, and whose sessions do not continue one another.
   */
  readonly slowBackend: boolean;
  readonly commands: readonly Command[];
}

export const COMMANDS = 200;
export const COMBINATIONS = 24;
export const STRICT = ["p0", "p1", "p2", "p3"] as const;
/** Read newest first, or with a cutoff: items may be left out. */
export const LENIENT = ["q0", "q1"] as const;

/** One of the 24 combinations of what nobody has confirmed. */
export function combination(index: number): Pick<Plan, "dialect" | "secondLogin"> {
  return {
    secondLogin: index % 2 === 0 ? "keep" : "end",
    dialect: {
      newLogin: (index >> 1) % 2 === 0 ? "replay" : "continue",
      fifoOverflow: (index >> 2) % 2 === 0 ? "wait" : "skip",
      reference: (["inclusive", "exclusive", "ignored"] as const)[(index >> 3) % 3] ?? "inclusive",
    },
  };
}

/** @param only - the combination; else the seeds go round all of them */
export function planOf(seed: number, only?: number): Plan {
  const random = fork(seed, 1);
  const extensions = random.chance(0.5);
  const temper: Temper = {
    noReaders: random.chance(0.12),
    turmoil: random.chance(0.5),
    clients: random.chance(0.4) ? 2 : 1,
    slow: random.chance(0.25),
    pace: random.pick([60, 200, 400]),
    poison: random.chance(0.15),
    extensions,
  };
  const { secondLogin, dialect } = combination(only ?? seed % COMBINATIONS);
  return {
    seed,
    secondLogin,
    dialect: extensions ? numberedDialect(dialect) : dialect,
    preset: extensions ? random.pick(["hosted", "local", "local"]) : "hosted",
    extensions,
    ringItemsMax: random.chance(0.2) ? random.int(8, 24) : 256,
    queueCountMax: random.chance(0.2) ? 6 : 1_000,
    poison: temper.poison,
    // Drawn apart, so that it changes nothing else of a seed.
    slowBackend: extensions && dialect.newLogin === "replay" && fork(seed, 2).chance(0.2),
    commands: commandsOf(random, temper),
  };
}

/** A server that numbers its items honours the reference time, and lets what does not fit into a line wait. */
const numberedDialect = (dialect: Plan["dialect"]): Plan["dialect"] => ({
  ...dialect,
  fifoOverflow: "wait",
  reference: dialect.reference === "ignored" ? "inclusive" : dialect.reference,
});

interface Temper {
  readonly noReaders: boolean;
  readonly turmoil: boolean;
  readonly clients: number;
  readonly slow: boolean;
  readonly pace: number;
  readonly poison: boolean;
  readonly extensions: boolean;
}

function commandsOf(random: Seeded, temper: Temper): Command[] {
  const commands: Command[] = [];
  let at = 0;
  if (!temper.noReaders) {
    for (let slot = 0; slot < 2; slot += 1) {
      commands.push({ at, ...subscription(random, temper, slot) });
    }
  }
  while (commands.length < COMMANDS) {
    at += pause(random, temper);
    commands.push({ at, ...action(random, temper) });
  }
  return commands;
}

function pause(random: Seeded, { pace }: Temper): number {
  if (random.chance(0.3)) return 0;
  if (random.chance(0.005)) return random.int(59_000, 75_000);
  if (random.chance(0.03)) return random.int(2_000, 8_000);
  return random.int(0, 2 * pace);
}

function action(random: Seeded, temper: Temper): Action {
  const roll = random.next();
  if (roll < 0.72) return set(random, temper);
  if (roll < 0.74) {
    const one = { ...set(random, temper), portals: [random.pick(STRICT)] };
    return { kind: "burst", count: random.int(8, 32), set: one };
  }
  if (roll < 0.8) {
    return temper.noReaders ? set(random, temper) : subscription(random, temper, random.int(0, 3));
  }
  if (roll < 0.84) return { kind: "unsubscribe", slot: random.int(0, 3) };
  if (roll < 0.86) {
    return {
      kind: "get",
      portals: portals(random, STRICT, 2),
      mode: random.pick(["probe", "watch"]),
    };
  }
  if (roll < 0.94) return weather(random, temper);
  if (!temper.turmoil) return set(random, temper);
  return upheaval(random, temper);
}

function upheaval(random: Seeded, { extensions }: Temper): Action {
  switch (random.int(0, 6)) {
    case 0:
      return { kind: "restart", downMs: random.pick([0, 50, 500, 3_000]) };
    case 1:
      return { kind: "rival" };
    case 2:
      // Before anything was delivered, only numbers tell old from new when the server's calendar is set back.
      return {
        kind: "stepServer",
        ms: random.pick(
          extensions ? [-3_600_000, 3_600_000, -1, -250, 2_000] : [-1, 3_600_000, -1, -1, 2_000],
        ),
      };
    case 3:
      return { kind: "stepClient", ms: random.pick([-3_600_000, 3_600_000]) };
    case 4:
      return {
        kind: "suspend",
        ms: random.pick([700, 9_000, 70_000, 600_000]),
        mode: random.pick(["stopped", "frozen"]),
      };
    default:
      return { kind: "killSessions" };
  }
}

function set(random: Seeded, { clients, poison }: Temper): SetCommand {
  const among = random.chance(0.9) ? STRICT : LENIENT;
  const count = random.chance(0.7) ? 1 : random.int(2, 6);
  return {
    kind: "set",
    client: random.int(0, clients - 1),
    portals: Array.from({ length: count }, () => random.pick(among)),
    bytes: poison && random.chance(0.1) ? 700 : random.pick([8, 8, 20, 90]),
    twin: random.chance(0.15),
    level: random.chance(0.8) ? "atLeastOnce" : "atMostOnce",
    ttlMs: random.pick([60_000, 60_000, 60_000, 20_000, 3_000]),
  };
}

function subscription(random: Seeded, { slow }: Temper, slot: number): SubscribeCommand {
  const lenient = random.chance(0.15);
  return {
    kind: "subscribe",
    slot,
    portals: portals(random, lenient ? LENIENT : STRICT, lenient ? 1 : 3),
    start: random.pick(["new", "all"]),
    mode: random.chance(0.75) ? "stream" : "watch",
    schedule: lenient && random.chance(0.6) ? "LIFO" : "FIFO",
    cutoff: lenient && random.chance(0.3) ? 2_000 : -1,
    queueItemsMax: slow ? random.pick([1, 3, 1_000]) : 1_000,
    slowMs: slow && random.chance(0.5) ? random.pick([5, 80, 900]) : 0,
    name: random.chance(0.3) ? `n${slot}` : undefined,
  };
}

function weather(random: Seeded, { turmoil }: Temper): Action {
  const kinds = random.int(1, turmoil ? 4 : 2);
  const rates = Array.from(
    { length: kinds },
    () => [random.pick(FAULTS), random.pick([0.05, 0.2, 0.5])] as const,
  );
  const outage = random.chance(0.06);
  return {
    kind: "weather",
    weather: {
      rates: outage ? [["refuse", 1]] : rates,
      delayMsMax: random.pick([3, 40, 40, 400]),
    },
    ms: outage ? random.pick([1_000, 30_000]) : random.int(300, 9_000),
  };
}

function portals(random: Seeded, among: readonly string[], max: number): string[] {
  return [...new Set(Array.from({ length: random.int(1, max) }, () => random.pick(among)))];
}
