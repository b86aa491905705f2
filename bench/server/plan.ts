/** What is measured of the server alone: who, with what, how long. */

import type { ServerTask } from "../processes/server.js";
import type { AppendFsync } from "../processes.js";
import type { Load } from "../processes/growth.js";
import type { SetterKind } from "../processes/setter.js";
import type { ProtocolName } from "../wire/protocols.js";
import { hasRedisEngine, ROOT, UNLIMITED_PER_SECOND } from "../subject.js";

/** A server, and whatever it needs behind it. */
export type ServerChoice =
  | { readonly kind: "xrtc"; readonly task: ServerTask; readonly redis?: AppendFsync }
  | { readonly kind: "floor" }
  | { readonly kind: "mosquitto" }
  | { readonly kind: "redis"; readonly appendFsync: AppendFsync };

interface Common {
  readonly contender: string;
  readonly server: ServerChoice;
}

export type ServerEntry =
  | (Common & {
      readonly section: "waiting";
      readonly protocol: ProtocolName;
      readonly readers: number;
    })
  | (Common & {
      readonly section: "fan-out";
      readonly protocol: ProtocolName;
      readonly steps: readonly FanOutStep[];
    })
  | (Common & {
      readonly section: "sets";
      readonly setter: SetterKind;
      readonly ways: readonly SetWay[];
      readonly seconds: number;
    })
  | (Common & {
      readonly section: "growth";
      readonly load: Load;
      readonly without: ServerChoice;
      /** Items that both servers keep before anything is measured. */
      readonly keptItems: number;
      readonly slices: number;
    });

export interface FanOutStep {
  readonly readers: number;
  /** Items that are timed. */
  readonly items: number;
}

export interface SetWay {
  readonly name: string;
  readonly itemsPerRequest: number;
  readonly requestsMax: number;
}

/** Ways to set; a peer without requests of several items sends so many at once. */
export const SET_WAYS = {
  awaited: { name: "one awaited", itemsPerRequest: 1, requestsMax: 1 },
  inFlight: { name: "32 in flight", itemsPerRequest: 1, requestsMax: 32 },
  batched: { name: "4 × 100 in flight", itemsPerRequest: 100, requestsMax: 4 },
} as const satisfies Readonly<Record<string, SetWay>>;

export interface Extent {
  readonly waitingReaders: number;
  readonly fanOut: readonly FanOutStep[];
  readonly setSeconds: number;
  readonly growthSlices: number;
}

export const FULL_EXTENT: Extent = {
  waitingReaders: 10_000,
  fanOut: [
    { readers: 1, items: 300 },
    { readers: 100, items: 100 },
    { readers: 1_000, items: 40 },
  ],
  setSeconds: 2,
  growthSlices: 12,
};

export const QUICK_EXTENT: Extent = {
  waitingReaders: 500,
  fanOut: [
    { readers: 1, items: 30 },
    { readers: 100, items: 10 },
    { readers: 1_000, items: 5 },
  ],
  setSeconds: 0.3,
  growthSlices: 2,
};

/** Names of contenders, as the targets and the report have them. */
export const SERVER_NAMES = {
  memory: "XRTC, memory",
  other: "XRTC, memory, the other build",
  redis: "XRTC, Redis",
  everysec: "XRTC, Redis, appendfsync everysec",
  always: "XRTC, Redis, appendfsync always",
  bare: "bare node:http",
  mqtt0: "mosquitto, QoS 0",
  mqtt1: "mosquitto, QoS 1",
  mqttJs: "mosquitto, mqtt.js QoS 1",
  xadd: "Redis XADD, ioredis",
  xaddEverysec: "Redis XADD, ioredis, appendfsync everysec",
  xaddAlways: "Redis XADD, ioredis, appendfsync always",
} as const;

export const GROWTH_NAMES: Readonly<Record<Load["kind"], string>> = {
  portals: "XRTC, memory: 1 → 1,000 portals, one of them in use",
  spread: "XRTC, memory: 1 → 1,000 portals in use, one reader of all",
  readers: "XRTC, memory: 0 → 100 readers of other portals",
  queued: "XRTC, memory: 16,000 → 26,000 items kept in the portal",
};

/** Longer than any of the measurements: neither the seam between two turns of a stream nor a session's end is measured. */
const LONG_MS = 600_000;
const SOCKETS_MAX = 20_000;

/** A server that allows what is measured; one key may log in as often as there are readers. */
export function xrtc(
  root: string,
  { redis, limits }: { readonly redis?: AppendFsync; readonly limits?: object } = {},
): ServerChoice {
  const options: ServerTask["options"] = {
    limits: {
      loginIntervalMsMin: 0,
      requestsPerSecondMax: UNLIMITED_PER_SECOND,
      getTimeoutMs: LONG_MS,
      sessionIdleMsMax: LONG_MS,
      ...limits,
    },
    bounds: { socketsMax: SOCKETS_MAX, socketsPerAddressMax: SOCKETS_MAX },
  };
  return { kind: "xrtc", task: { root, options }, ...(redis === undefined ? {} : { redis }) };
}

const memory = xrtc(ROOT);
const floor: ServerChoice = { kind: "floor" };
const mosquitto: ServerChoice = { kind: "mosquitto" };

/** @param otherRoot - folder of another build of this package, to be measured beside this one */
export function serverPlan(extent: Extent, otherRoot?: string): readonly ServerEntry[] {
  const other = otherRoot === undefined ? [] : [[SERVER_NAMES.other, xrtc(otherRoot)] as const];
  const own = [[SERVER_NAMES.memory, memory] as const, ...other];
  const plan = [...waiting(extent, own), ...fanOut(extent, own), ...sets(extent, own)];
  return [...plan, ...growth(extent)].filter(
    ({ server }) => hasRedisEngine(ROOT) || !("redis" in server),
  );
}

type Own = readonly (readonly [contender: string, server: ServerChoice])[];

const waiting = ({ waitingReaders: readers }: Extent, own: Own): readonly ServerEntry[] => [
  ...own.map(
    ([contender, server]) =>
      ({ section: "waiting", contender, server, protocol: "xrtc", readers }) as const,
  ),
  {
    section: "waiting",
    contender: SERVER_NAMES.bare,
    server: floor,
    protocol: "bare http",
    readers,
  },
];

function fanOut({ fanOut: steps }: Extent, own: Own): readonly ServerEntry[] {
  const entry = (contender: string, server: ServerChoice, protocol: ProtocolName): ServerEntry => ({
    section: "fan-out",
    contender,
    server,
    protocol,
    steps,
  });
  return [
    ...own.map(([contender, server]) => entry(contender, server, "xrtc")),
    entry(SERVER_NAMES.redis, xrtc(ROOT, { redis: "everysec" }), "xrtc"),
    entry(SERVER_NAMES.bare, floor, "bare http"),
    entry(SERVER_NAMES.mqtt0, mosquitto, "mqtt qos 0"),
    entry(SERVER_NAMES.mqtt1, mosquitto, "mqtt qos 1"),
  ];
}

function sets({ setSeconds: seconds }: Extent, own: Own): readonly ServerEntry[] {
  const ways = [SET_WAYS.awaited, SET_WAYS.inFlight, SET_WAYS.batched];
  const entry = (contender: string, server: ServerChoice, setter: SetterKind): ServerEntry => ({
    section: "sets",
    contender,
    server,
    setter,
    ways,
    seconds,
  });
  const { everysec, always, mqttJs, xadd, xaddEverysec, xaddAlways } = SERVER_NAMES;
  return [
    ...own.map(([contender, server]) => entry(contender, server, "xrtc")),
    entry(everysec, xrtc(ROOT, { redis: "everysec" }), "xrtc"),
    entry(always, xrtc(ROOT, { redis: "always" }), "xrtc"),
    entry(xadd, { kind: "redis", appendFsync: "none" }, "redis"),
    entry(xaddEverysec, { kind: "redis", appendFsync: "everysec" }, "redis"),
    entry(xaddAlways, { kind: "redis", appendFsync: "always" }, "redis"),
    entry(mqttJs, mosquitto, "mqtt"),
  ];
}

const LOADS: readonly Load[] = [
  { kind: "portals", count: 999 },
  { kind: "spread", count: 1_000 },
  { kind: "readers", count: 100 },
  { kind: "queued", count: 10_000 },
];

/** Items that an account's portals keep in any case, all together. What is kept has its cost, as memory has. */
const KEPT_ITEMS = 16_000;

const growth = ({ growthSlices: slices }: Extent): readonly ServerEntry[] =>
  LOADS.map((load) => ({
    section: "growth",
    contender: GROWTH_NAMES[load.kind],
    server: xrtc(ROOT, { limits: { ringItemsMax: ringOf(load) } }),
    without: xrtc(ROOT, { limits: { ringItemsMax: KEPT_ITEMS } }),
    load,
    keptItems: KEPT_ITEMS,
    slices,
  }));

function ringOf(load: Load): number {
  if (load.kind === "queued") return KEPT_ITEMS + load.count;
  return load.kind === "spread" ? KEPT_ITEMS / load.count : KEPT_ITEMS;
}
