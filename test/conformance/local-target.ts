/** Servers of this project, started for a run of the suite. */

import { LIMITS, type Limits, type LimitsPreset } from "../../src/protocol/limits.js";
import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";
import type { Account, Target } from "./target.js";

/** Accounts that a local server has: more than there are cases. */
const ACCOUNTS = 300;

const key = (at: number, letter: string): string => `${at}`.padStart(32, letter);

/** Accounts with two keys each, which open nothing but a server that a test started. */
export const ACCOUNT_LIST: readonly Account[] = Array.from({ length: ACCOUNTS }, (_, at) => ({
  accountId: `AC${7_000_000_000_000_000 + at}`,
  apiKey: key(at, "a"),
  otherKey: key(at, "b"),
}));

/** Times so short that a suite can wait for them, and shares so small that it can use them up. */
const HASTY: Partial<Limits> = {
  getTimeoutMs: 400,
  sessionIdleMsMax: 1_500,
  loginIntervalMsMin: 1_000,
  itemAgeMsMax: 2_000,
  requestsPerSecondMax: 40,
  requestsPerMonthMax: 60,
};
export const HASTY_CODE_MS = 600;

/** Counts that a case reaches with few items. */
const SMALL: Readonly<Record<LimitsPreset, Partial<Limits>>> = {
  local: { ringItemsMax: 64, lineItemsMax: 20 },
  hosted: {},
};

/** What may be said of a server's two sides: with the times of its preset, and with short ones. */
export interface Sides {
  readonly plain: Limits;
  readonly hasty: Limits;
}

export const sidesOf = (preset: LimitsPreset): Sides => {
  const plain = { ...LIMITS[preset], ...SMALL[preset] };
  return { plain, hasty: { ...plain, ...HASTY } };
};

/** Options of a server that serves one side. */
export function serverOptions(preset: LimitsPreset, limits: Limits): XrtcServerOptions {
  return {
    port: 0,
    preset,
    limits,
    accounts: ACCOUNT_LIST.map(({ accountId, apiKey, otherKey = "" }) => ({
      accountId,
      apiKeys: [apiKey, otherKey],
    })),
    bounds: {
      // All cases come from one address, and some of them fail at their login on purpose.
      failuresPerMinuteMax: 100_000,
      registrationsMax: 10_000,
      accountsMax: 10_000,
      registrationCodeMs: limits.getTimeoutMs < 1_000 ? HASTY_CODE_MS : 300_000,
    },
  };
}

/** What a server logs where a code was made. */
export interface CodeRecord {
  readonly email?: unknown;
  readonly code?: unknown;
}

/** The codes of registrations, as a server logs them. */
export class Codes {
  readonly #byEmail = new Map<string, string>();

  /** Takes what a server logs. */
  readonly log: NonNullable<XrtcServerOptions["log"]> = (record) => {
    this.heard(record as CodeRecord);
  };

  heard({ email, code }: CodeRecord): void {
    if (typeof email === "string" && typeof code === "string") this.#byEmail.set(email, code);
  }

  readonly codeOf = (email: string): Promise<string> => {
    const code = this.#byEmail.get(email);
    return code === undefined ? Promise.reject(new Error("no code")) : Promise.resolve(code);
  };
}

/** Gives each account out once. */
export function freshAccounts(): () => Account {
  let next = 0;
  return () => {
    const account = ACCOUNT_LIST[next];
    if (account === undefined) throw new Error("there are no more accounts");
    next += 1;
    return account;
  };
}

export interface Started {
  readonly target: Target;
  close(): Promise<void>;
}

/** What a target of two local addresses has in common with all others. */
export const targetOf = (
  name: string,
  preset: LimitsPreset,
  parts: { readonly plain: string; readonly hasty: string; readonly codes: Codes },
): Target => {
  const { plain, hasty } = sidesOf(preset);
  return {
    name,
    baseUrl: parts.plain,
    limits: plain,
    hasty: { baseUrl: parts.hasty, limits: hasty, registrationCodeMs: HASTY_CODE_MS },
    isHosted: false,
    accounts: [],
    freshAccount: freshAccounts(),
    extensions: preset === "local" ? ["seq", "idempotency", "order"] : [],
    secondAddress: "127.0.0.2",
    registrationCode: parts.codes.codeOf,
    requestsMax: 100_000,
  };
};

/** Two servers in this process, alike but for their times. */
export async function startLocal(
  name: string,
  preset: LimitsPreset,
  more: (side: keyof Sides) => Partial<XrtcServerOptions> = () => ({}),
): Promise<Started> {
  const codes = new Codes();
  const sides = sidesOf(preset);
  const server = (side: keyof Sides): XrtcServer =>
    new XrtcServer({ ...serverOptions(preset, sides[side]), log: codes.log, ...more(side) });
  const servers = [server("plain"), server("hasty")] as const;
  const [plain, hasty] = await Promise.all([servers[0].listen(), servers[1].listen()]);
  return {
    target: targetOf(name, preset, { plain, hasty, codes }),
    async close() {
      await Promise.all(servers.map((each) => each.close()));
    },
  };
}
