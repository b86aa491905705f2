/** The server under test, as whoever starts a run describes it. */

import type { Limits } from "../../src/protocol/limits.js";

/** What opens one account. */
export interface Account {
  readonly accountId: string;
  readonly apiKey: string;
  /** A second key of the same account, whose logins are counted apart. */
  readonly otherKey?: string;
}

/** One server, or several behind one address. */
export interface Endpoint {
  /** With the version at its end, as in `https://api.xrtc.org/v1`. */
  readonly baseUrl: string;
  /** What the server is said to hold to. */
  readonly limits: Limits;
  /** Milliseconds that a registration code is good for. @defaultValue 300000 */
  readonly registrationCodeMs?: number;
}

export interface Target extends Endpoint {
  readonly name: string;
  /** Whether this is the hosted service: only cases that are marked for it are asked, with few requests. */
  readonly isHosted: boolean;
  /** The same kind of server with times so short that a suite can wait for them. Without it, only short times are waited for. */
  readonly hasty?: Endpoint;
  /** An account that nobody used before; undefined where there are only the given ones. */
  freshAccount?(): Account;
  /** The accounts that there are; the first one serves all cases that do not need one of their own. */
  readonly accounts: readonly Account[];
  /** Extensions that the server is said to offer. */
  readonly extensions: readonly string[];
  /** A second address of this machine from which the server can be reached. */
  readonly secondAddress?: string;
  /** Reads the code that a registration sent; undefined where mail cannot be read. */
  registrationCode?(email: string): Promise<string>;
  /** Cases that this server cannot satisfy by design: their name, and why. */
  readonly exceptions?: Readonly<Record<string, string>>;
  readonly requestsMax: number;
}

/** What a case takes for granted; where it is missing, the case is not asked, and the run says so. */
export type Need =
  /** An account that nobody else uses, empty, with two keys. */
  | "freshAccount"
  /** Portals that nobody used. */
  | "freshPortals"
  /** A second key of the account. */
  | "otherKey"
  | "secondAddress"
  | "registration"
  /** Few enough requests a second and a month that a case may use them up. */
  | "smallShare"
  | "plainHttp"
  | "seq"
  | "idempotency"
  | "order"
  | "noExtensions";

/** An account that may have so many portals has some left for every case. */
const MANY_PORTALS = 100;

export const hasFreshPortals = ({ freshAccount, limits }: Target): boolean =>
  freshAccount !== undefined || limits.portalsMax >= MANY_PORTALS;

/** Requests that a case may use up. */
const SHARE_MAX = 1_000;

/** Longest time in ms that a case waits for a server without hasty times. */
const WAIT_MS_MAX = 75_000;

export interface Asked {
  readonly name: string;
  readonly needs?: readonly Need[];
  readonly isForHosted?: boolean;
  /** The time in ms that the case waits for. */
  waitsFor?(endpoint: Endpoint): number;
}

/** Why a case is not asked of a target, or undefined when it is. */
export function whyNotAsked(asked: Asked, target: Target): string | undefined {
  const exception = target.exceptions?.[asked.name];
  if (exception !== undefined) return exception;
  if (target.isHosted && asked.isForHosted !== true) return "not for the hosted service";
  for (const need of asked.needs ?? []) {
    const missing = MISSING[need](target);
    if (missing !== undefined) return missing;
  }
  const waitMs = asked.waitsFor?.(target.hasty ?? target) ?? 0;
  if (waitMs <= WAIT_MS_MAX) return undefined;
  return `it would take ${Math.round(waitMs / 1_000)} s`;
}

const without = (name: string) => (target: Target) =>
  target.extensions.includes(name) ? undefined : `the server does not offer ${name}`;

const MISSING: Readonly<Record<Need, (target: Target) => string | undefined>> = {
  freshAccount: (target) =>
    target.freshAccount === undefined ? "there is no account that nobody used" : undefined,
  freshPortals: (target) =>
    hasFreshPortals(target) ? undefined : "the account's few portals were used before",
  otherKey: ({ freshAccount, accounts: [account] }) =>
    freshAccount !== undefined || account?.otherKey !== undefined
      ? undefined
      : "the account has one key",
  secondAddress: (target) =>
    target.secondAddress === undefined ? "there is no second address" : undefined,
  registration: (target) =>
    target.registrationCode === undefined ? "the code that is mailed cannot be read" : undefined,
  smallShare: ({ hasty, limits: plain }) => {
    const { requestsPerSecondMax, requestsPerMonthMax } = (hasty ?? { limits: plain }).limits;
    const isSmall = Math.max(requestsPerSecondMax, requestsPerMonthMax) <= SHARE_MAX;
    return isSmall ? undefined : "it would take too many requests";
  },
  plainHttp: (target) =>
    target.baseUrl.startsWith("http:") ? undefined : "the server is not on plain HTTP",
  noExtensions: (target) =>
    target.extensions.length > 0 ? "the server offers extensions" : undefined,
  seq: without("seq"),
  idempotency: without("idempotency"),
  order: without("order"),
};
