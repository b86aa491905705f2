import type * as PromClient from "prom-client";
import type { Durability } from "../backend/backend.js";
import type { ObservedCall, ServerObserver } from "../observer.js";
import type { ServerStats } from "../stats.js";

/** What is measured: the server, as it is at each look. */
export interface MetricsSource {
  stats(): ServerStats;
  trouble(): string | undefined;
  /** UNIX ms until which the certificate is valid; undefined without TLS. */
  certificateEndMs(): number | undefined;
}

export interface MetricsLabels {
  readonly version: string;
  readonly durability: Durability;
  readonly preset: string;
}

/** Seconds: a set in memory takes a tenth of a millisecond, one in Redis some, an overload all the others. */
const BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

/** What a server does, for Prometheus. Counts are read when they are asked for; durations are noted as they come. */
export class Metrics implements ServerObserver {
  readonly #registry: PromClient.Registry;
  readonly #sets: PromClient.Histogram;
  readonly #handovers: PromClient.Histogram;
  /** Answers by call and status, as `set 200`. */
  readonly #answers = new Map<string, number>();

  private constructor(client: typeof PromClient, source: MetricsSource) {
    this.#registry = new client.Registry();
    const histogram = (name: string, help: string): PromClient.Histogram => {
      const made = new client.Histogram({ name, help, buckets: BUCKETS, registers: [] });
      this.#registry.registerMetric(made);
      return made;
    };
    this.#sets = histogram("xrtc_set_duration_seconds", "From a set's arrival to its answer");
    this.#handovers = histogram(
      "xrtc_handover_duration_seconds",
      "From the moment when the engine holds an item to its way to a reader that waits for it",
    );
    this.#registry.registerMetric(answersOf(client, this.#answers));
    for (const [name, help, read] of COUNTERS) {
      this.#registry.registerMetric(counterOf(client, name, help, () => read(source.stats())));
    }
    for (const [name, help, read] of GAUGES) {
      this.#registry.registerMetric(gaugeOf(client, name, help, () => read(source)));
    }
    client.collectDefaultMetrics({ register: this.#registry });
  }

  /** Loads prom-client: who does not ask for metrics does not pay for it. */
  static async create(source: MetricsSource, labels: MetricsLabels): Promise<Metrics> {
    const { default: client } = await import("prom-client");
    const metrics = new Metrics(client, source);
    const info = new client.Gauge({
      name: "xrtc_info",
      help: "What runs here",
      labelNames: Object.keys(labels),
      registers: [metrics.#registry],
    });
    info.set({ ...labels }, 1);
    return metrics;
  }

  answered(call: ObservedCall, status: number, durationMs: number): void {
    const key = `${call} ${status}`;
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
    if (call === "set") this.#sets.observe(durationMs / 1_000);
  }

  handedOver(ageMs: number): void {
    this.#handovers.observe(ageMs / 1_000);
  }

  async text(): Promise<{ readonly text: string; readonly type: string }> {
    return { text: await this.#registry.metrics(), type: this.#registry.contentType };
  }
}

type Told<T> = readonly [name: string, help: string, read: (from: T) => number | undefined];

const COUNTERS: readonly Told<ServerStats>[] = [
  ["xrtc_logins_total", "Logins that opened a session", (stats) => stats.logins],
  ["xrtc_items_set_total", "Items that were stored", (stats) => stats.itemsSet],
  [
    "xrtc_items_delivered_total",
    "Items handed to readers, one for each reader",
    (stats) => stats.itemsDelivered,
  ],
  [
    "xrtc_ring_overrun_items_total",
    "Items that a full ring let go of before their time",
    (stats) => stats.itemsOverrun,
  ],
];

const GAUGES: readonly Told<MetricsSource>[] = [
  ["xrtc_waiting_gets", "Gets that wait or stream", (source) => source.stats().waitingGets],
  ["xrtc_sessions", "Sessions that are alive", (source) => source.stats().sessions],
  ["xrtc_sockets", "Open sockets", (source) => source.stats().sockets],
  [
    "xrtc_up",
    "Whether the server can serve: 0 while what it keeps things in is away",
    (source) => (source.trouble() === undefined ? 1 : 0),
  ],
  [
    "xrtc_certificate_end_timestamp_seconds",
    "Until when the certificate is valid",
    (source) => {
      const endMs = source.certificateEndMs();
      return endMs === undefined ? undefined : endMs / 1_000;
    },
  ],
];

const answersOf = (
  client: typeof PromClient,
  answers: ReadonlyMap<string, number>,
): PromClient.Counter =>
  new client.Counter({
    name: "xrtc_requests_total",
    help: "Requests that were answered, by call and HTTP status",
    labelNames: ["call", "status"],
    registers: [],
    collect() {
      this.reset();
      for (const [key, count] of answers) {
        const [call = "", status = ""] = key.split(" ");
        this.inc({ call, status }, count);
      }
    },
  });

const counterOf = (
  client: typeof PromClient,
  name: string,
  help: string,
  read: () => number | undefined,
): PromClient.Counter =>
  new client.Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset();
      this.inc(read());
    },
  });

const gaugeOf = (
  client: typeof PromClient,
  name: string,
  help: string,
  read: () => number | undefined,
): PromClient.Gauge =>
  new client.Gauge({
    name,
    help,
    registers: [],
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
