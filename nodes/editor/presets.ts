/** What a blank number field of xrtc-config stands for; pure. */

import type { ConfigNumber } from "../contract/ranges.js";
import { type Limits, LIMITS, type LimitsPreset } from "../../src/protocol/limits.js";

export interface PresetChoice {
  /** As the fields have them. */
  readonly limits: string;
  readonly service: string;
  /** Address of a service of one's own: the base URL, or that of the sets. */
  readonly url: string;
  /** Limits of the chosen xrtc-server node. */
  readonly serverPreset: string;
  /** What stands in the field for the items of a request, which bound those of a batch. */
  readonly requestItemsMax: string;
}

/** The client's own defaults; how long a message may wait is up to the node that sends it. */
export const SENDING_DEFAULTS = {
  lingerMs: 0,
  attemptsMax: 6,
  retrySecondsMax: undefined,
} as const;

/** The value behind each field that is blank; undefined for no limit. */
export function valuesWhenBlank(
  choice: PresetChoice,
): Readonly<Record<ConfigNumber, number | undefined>> {
  const limits: Limits = LIMITS[presetOf(choice)];
  const { requestsPerMonthMax: month } = limits;
  const items = Number(choice.requestItemsMax.trim() || limits.requestItemsMax);
  return {
    requestBytesMax: limits.requestBytesMax,
    lineBytesMax: limits.lineBytesMax,
    requestItemsMax: limits.requestItemsMax,
    requestsPerSecondMax: limits.requestsPerSecondMax,
    loginIntervalMsMin: limits.loginIntervalMsMin,
    getTimeoutMs: limits.getTimeoutMs,
    sessionIdleMsMax: limits.sessionIdleMsMax,
    monthRequestsMax: month === Number.MAX_SAFE_INTEGER ? undefined : month,
    batchItemsMax: Number.isInteger(items) ? items : limits.requestItemsMax,
    ...SENDING_DEFAULTS,
  };
}

function presetOf({ limits, service, url, serverPreset }: PresetChoice): LimitsPreset {
  if (limits === "hosted" || limits === "local") return limits;
  if (service === "hosted") return "hosted";
  if (service === "local") return serverPreset === "hosted" ? "hosted" : "local";
  return isHostedUrl(url) ? "hosted" : "local";
}

function isHostedUrl(url: string): boolean {
  try {
    return /(^|\.)xrtc\.org$/.test(new URL(url).hostname);
  } catch {
    // Not typed to its end yet.
    return false;
  }
}
