/** What is measured: which contenders, on which way, through which phases. */

import type { ClientKind } from "./processes/client.js";
import type { ServerTask } from "./processes/server.js";
import type { Phase } from "./phases.js";
import { ROOT, UNLIMITED_PER_SECOND } from "./subject.js";

export const PAYLOAD_BYTES = 100;
/** Milliseconds that each relay holds back what passes it, in each direction. */
export const DELAY_MS = 20;

export type Way = "loopback" | "delayed";

export type ServerKind =
  | { readonly kind: "xrtc"; readonly task: ServerTask }
  | { readonly kind: "floor" }
  | { readonly kind: "mosquitto"; readonly noDelay: boolean };

export interface Entry {
  readonly way: Way;
  readonly contender: string;
  readonly server: ServerKind;
  readonly client: ClientKind;
  readonly phases: readonly Phase[];
}

export interface Durations {
  /** Seconds at each pace, by items a second. */
  readonly latency: Readonly<Record<number, number>>;
  readonly rate: number;
  readonly warmUp: number;
}

export const FULL: Durations = {
  latency: { 10: 4, 50: 3, 100: 3, 200: 6, 1_000: 2 },
  rate: 3,
  warmUp: 1,
};

export const QUICK: Durations = {
  latency: { 10: 0.5, 50: 1, 100: 1, 200: 0.5, 1_000: 0.5 },
  rate: 0.7,
  warmUp: 0.3,
};

/** Names of contenders, as the targets and the report have them. */
export const NAMES = {
  sdk: "SDK",
  unlimited: "SDK, request rate not limited",
  kilobyte: "SDK, 1 kB requests, request rate not limited",
  stripped: "SDK without promises (options), request rate not limited",
  serial: "SDK, one request in flight, request rate not limited",
  bareLoop: "transport and codec alone, batched, request rate not limited",
  hosted: "SDK, hosted protocol only",
  window: "SDK, 1,000 unconfirmed at most",
  oneByOne: "one item a request, each awaited",
  oneByOneUnlimited: "one item a request, each awaited, request rate not limited",
  floor: "bare HTTP",
  mqtt: "mosquitto, mqtt.js QoS 1",
  mqttNoDelay: "mosquitto, mqtt.js QoS 1, TCP_NODELAY",
  other: "SDK, the other build",
  otherUnlimited: "SDK, the other build, request rate not limited",
} as const;

/** What the short version leaves out. */
export const FULL_ONLY: ReadonlySet<string> = new Set([
  NAMES.window,
  NAMES.hosted,
  NAMES.bareLoop,
  NAMES.serial,
  NAMES.oneByOneUnlimited,
]);

/** Everything that keeps a promise, and batches as those have that keep none: one request in flight. */
const NO_ORDER = { seq: true, idempotency: true, order: false };
const NO_EXTENSIONS = { seq: false, idempotency: false, order: false };
const UNLIMITED = { requestsPerSecondMax: UNLIMITED_PER_SECOND };

interface Change {
  readonly server?: ServerTask["options"];
  readonly client?: object;
}

/** An SDK and its server; a key may log in as often as processes come and go here. */
function sdk(root: string, change: Change = {}): Pick<Entry, "server" | "client"> {
  const { limits, ...rest } = change.server ?? {};
  const options = { ...rest, limits: { loginIntervalMsMin: 0, ...limits } };
  return {
    server: { kind: "xrtc", task: { root, options } },
    client: { kind: "sdk", options: { root, ...change.client } },
  };
}

const unlimited: Change = { server: { limits: UNLIMITED }, client: UNLIMITED };

const mosquitto = (noDelay: boolean): Pick<Entry, "server" | "client"> => ({
  server: { kind: "mosquitto", noDelay },
  client: { kind: "mqtt", noDelay },
});

const floor: Pick<Entry, "server" | "client"> = {
  server: { kind: "floor" },
  client: { kind: "bare http" },
};

/** @param otherRoot - folder of another build of this package, to be measured beside this one */
export function planOf(durations: Durations, otherRoot?: string): readonly Entry[] {
  const loopback = phasesOf(durations, [100, 1_000], 1_000);
  const delayed = phasesOf(durations, [50, 200], 200);
  const entry = (
    way: Way,
    contender: string,
    parts: Pick<Entry, "server" | "client">,
    phases: readonly Phase[],
  ): Entry => ({ way, contender, ...parts, phases });
  const oneByOne = { client: { oneByOne: true } };
  const stripped: Change = {
    server: { limits: UNLIMITED, extensions: NO_EXTENSIONS },
    client: { ...UNLIMITED, level: "atMostOnce" },
  };
  const serial: Change = {
    server: { limits: UNLIMITED, extensions: NO_ORDER },
    client: UNLIMITED,
  };
  const bareLoop = {
    server: sdk(ROOT, unlimited).server,
    client: { kind: "bare loop", options: { root: ROOT } },
  } as const;
  const kilobyte: Change = { ...unlimited, client: { ...UNLIMITED, requestBytesMax: 1_024 } };
  const oneByOneUnlimited: Change = { ...unlimited, client: { ...UNLIMITED, oneByOne: true } };
  const others = (way: Way, phases: readonly Phase[]): readonly Entry[] =>
    otherRoot === undefined
      ? []
      : [
          entry(way, NAMES.other, sdk(otherRoot), phases),
          entry(way, NAMES.otherUnlimited, sdk(otherRoot, unlimited), phases),
        ];
  const hosted: Change = { server: { extensions: NO_EXTENSIONS } };
  return [
    entry("loopback", NAMES.sdk, sdk(ROOT), loopback.all),
    entry("loopback", NAMES.unlimited, sdk(ROOT, unlimited), loopback.all),
    ...others("loopback", loopback.all),
    entry("loopback", NAMES.floor, floor, loopback.latency),
    entry("loopback", NAMES.mqtt, mosquitto(false), loopback.all),
    entry("loopback", NAMES.mqttNoDelay, mosquitto(true), loopback.all),
    entry("loopback", NAMES.kilobyte, sdk(ROOT, kilobyte), loopback.rate),
    entry("loopback", NAMES.stripped, sdk(ROOT, stripped), loopback.rate),
    entry("loopback", NAMES.serial, sdk(ROOT, serial), loopback.rate),
    entry("loopback", NAMES.bareLoop, bareLoop, loopback.all),
    entry("loopback", NAMES.oneByOne, sdk(ROOT, oneByOne), loopback.rate),
    entry("loopback", NAMES.oneByOneUnlimited, sdk(ROOT, oneByOneUnlimited), loopback.rate),
    entry("delayed", NAMES.sdk, sdk(ROOT), delayed.all),
    ...others("delayed", delayed.all),
    entry("delayed", NAMES.window, sdk(ROOT, { client: { unconfirmedMax: 1_000 } }), delayed.rate),
    entry("delayed", NAMES.hosted, sdk(ROOT, hosted), phasesOf(durations, [10], 100).latency),
    entry("delayed", NAMES.floor, floor, phasesOf(durations, [10, 50, 200], 200).latency),
    entry("delayed", NAMES.mqtt, mosquitto(false), delayed.all),
    entry("delayed", NAMES.mqttNoDelay, mosquitto(true), delayed.all),
    entry("delayed", NAMES.oneByOne, sdk(ROOT, oneByOne), delayed.rate),
  ];
}

/** The name under which a phase's figures are left out of the report. */
export const WARM_UP = "warm-up";

function phasesOf(
  durations: Durations,
  paces: readonly number[],
  warmUpPace: number,
): Readonly<Record<"latency" | "rate" | "all", readonly Phase[]>> {
  const { warmUp } = durations;
  const latency: readonly Phase[] = [
    { kind: "latency", name: WARM_UP, perSecond: warmUpPace, seconds: warmUp },
    ...paces.map((perSecond): Phase => {
      const seconds = durations.latency[perSecond] ?? 1;
      return { kind: "latency", name: `${perSecond}/s`, perSecond, seconds };
    }),
  ];
  const rate: readonly Phase[] = [
    { kind: "rate", name: WARM_UP, seconds: warmUp },
    { kind: "rate", name: "rate", seconds: durations.rate },
  ];
  return { latency, rate, all: [...latency, ...rate] };
}
