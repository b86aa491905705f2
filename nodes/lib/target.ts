/** Which service an xrtc-config means; pure. */

import {
  HOSTED_BASE_URL,
  type Limits,
  LIMITS,
  type LimitsPreset,
  PATHS,
  XrtcError,
} from "../../src/index.js";
import { LIMIT_RANGES, type LimitName } from "../contract/ranges.js";
import type { Credentials } from "./credentials.js";
import type { Network } from "./network.js";
import type { ConfigSettings } from "./settings/config.js";

export interface Urls {
  readonly loginUrl: string;
  readonly setUrl: string;
  readonly getUrl: string;
}

/**
 * Milliseconds that an item may wait where neither its node nor the configuration sets a limit: eleven days. A client
 * wants a number, and the runtime's timers count no further than twice that.
 */
export const NO_LIMIT_MS = 1_000_000_000;

/** How a client sends; what is left out is the client's own default. */
export interface Sending {
  readonly lingerMs?: number;
  readonly batchItemsMax?: number;
  readonly attemptsMax?: number;
  readonly retryMsMax?: number;
}

/** All that a client is made from. */
export interface Target extends Urls, Credentials {
  /** Undefined: what fits the address, and so for each limit that is left out. */
  readonly limits: LimitsPreset | Partial<Limits> | undefined;
  readonly allowInsecure: boolean;
  /** @defaultValue the client's own */
  readonly sending?: Sending;
  /** @defaultValue what Node.js trusts, and what the environment says of proxies */
  readonly network?: Network;
}

/**
 * The addresses of the three calls for every service but `local`, whose server says its own.
 *
 * @throws XrtcError XRTC_OPTIONS that names the field
 */
export function urlsOf(settings: ConfigSettings): Urls {
  switch (settings.service) {
    case "hosted":
      return urlsBelow(HOSTED_BASE_URL);
    case "custom":
      return urlsBelow(checkedUrl(settings.baseUrl, "base URL"));
    case "urls":
      return {
        loginUrl: checkedUrl(settings.loginUrl, "login URL"),
        setUrl: checkedUrl(settings.setUrl, "set URL"),
        getUrl: checkedUrl(settings.getUrl, "get URL"),
      };
    case "local":
      throw new XrtcError("XRTC_SERVER_MISSING", "the address is that of an xrtc-server node");
    default:
      return settings.service satisfies never;
  }
}

/**
 * The base of the calls of a registration, for every service but `local`.
 *
 * @throws XrtcError XRTC_OPTIONS when no base URL is known
 */
export function registrationUrlOf(settings: ConfigSettings): string {
  const { loginUrl } = urlsOf(settings);
  if (loginUrl.endsWith(PATHS.login)) return loginUrl.slice(0, -PATHS.login.length);
  throw new XrtcError(
    "XRTC_OPTIONS",
    `xrtc-config: login URL: without ${PATHS.login} at its end, the address of the registration is not known`,
  );
}

export function urlsBelow(baseUrl: string): Urls {
  const base = baseUrl.replace(/\/+$/, "");
  return {
    loginUrl: base + PATHS.login,
    setUrl: base + PATHS.set,
    getUrl: base + PATHS.get,
  };
}

function checkedUrl(text: string, field: string): string {
  // The text itself stays out of the error: somebody may have put a password into it.
  if (text === "") throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: none is given`);
  if (!URL.canParse(text)) {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: this is no URL`);
  }
  const { protocol, username, password } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: expected https: or http:`);
  }
  if (username !== "" || password !== "") {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: a URL holds no user or password`);
  }
  return text;
}

/**
 * The limits that a client keeps: each as the user set it, else that of the chosen preset, else as the service is known
 * to have it.
 *
 * @throws XrtcError XRTC_OPTIONS when two of them contradict each other
 */
export function limitsOf(
  settings: ConfigSettings,
  known?: Limits,
): LimitsPreset | Partial<Limits> | undefined {
  const preset = settings.limits === "auto" ? known : settings.limits;
  const names = Object.keys(LIMIT_RANGES) as LimitName[];
  const set: Partial<Limits> = Object.fromEntries(
    [
      ...names.map((name) => [name, settings[name]] as const),
      ["requestsPerMonthMax", settings.monthRequestsMax] as const,
    ].filter(([, value]) => value !== null),
  );
  if (Object.keys(set).length === 0) return preset;
  const limits = { ...(typeof preset === "string" ? LIMITS[preset] : preset), ...set };
  checkTogether({ ...LIMITS.local, ...limits });
  return limits;
}

function checkTogether({ getTimeoutMs, sessionIdleMsMax }: Limits): void {
  // A reader that streams without a pause keeps its session only if the one is shorter than the other.
  if (getTimeoutMs < sessionIdleMsMax) return;
  throw new XrtcError(
    "XRTC_OPTIONS",
    `xrtc-config: getTimeoutMs: ${getTimeoutMs} is not below sessionIdleMsMax, ${sessionIdleMsMax}`,
  );
}

/** How the client sends, where the user said anything about it. Without a word, items outlast any outage. */
export function sendingOf(settings: ConfigSettings): Sending {
  const { lingerMs, batchItemsMax, attemptsMax, retrySecondsMax } = settings;
  return {
    ...(lingerMs === null ? {} : { lingerMs }),
    ...(batchItemsMax === null ? {} : { batchItemsMax }),
    ...(attemptsMax === null ? {} : { attemptsMax }),
    retryMsMax: retrySecondsMax === null ? NO_LIMIT_MS : retrySecondsMax * 1_000,
  };
}
