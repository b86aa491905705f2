/** One run: one contender, its server and its relays, each in a process of its own, from start to end. */

import type { Address } from "./contenders/contender.js";
import { DELAY_MS, PAYLOAD_BYTES, WARM_UP, type Entry, type Way } from "./plan.js";
import {
  start,
  startListening,
  startMosquitto,
  type Listening,
  type Started,
} from "./processes.js";
import type { ClientAnswer, ClientTask } from "./processes/client.js";
import type { Figures } from "./phases.js";
import type { Section } from "./sections.js";
import type { Faults } from "./tally.js";

export interface Run {
  readonly round: number;
  readonly way: Section;
  readonly contender: string;
  readonly figures: Figures;
  /** Items sent. */
  readonly items: number;
  readonly faults: Faults | undefined;
  /** Why there are no figures. */
  readonly error?: string;
}

/** Milliseconds beyond its phases that a run may take. */
const MARGIN_MS = 45_000;
const HOST = "127.0.0.1";

/** Measures; what goes wrong is part of what it finds. */
export async function runEntry(entry: Entry, round: number, profileDir?: string): Promise<Run> {
  const { way, contender } = entry;
  const started: Started[] = [];
  try {
    const server = await startServer(entry, profileDir);
    started.push(server);
    const address = await addressOf(server.port, way, started);
    const { client, phases } = entry;
    const given: ClientTask = { client, address, phases, payloadBytes: PAYLOAD_BYTES };
    const child = start("client", given, { profileDir });
    started.push(child);
    const msMax = phases.reduce((sum, { seconds }) => sum + seconds * 1_000, MARGIN_MS);
    const { figures, items, faults } = await child.next<ClientAnswer>(msMax);
    const told = Object.entries(figures).filter(([name]) => !name.startsWith(WARM_UP));
    return { round, way, contender, figures: Object.fromEntries(told), items, faults };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { round, way, contender, figures: {}, items: 0, faults: undefined, error: message };
  } finally {
    await Promise.all(started.toReversed().map((process) => process.end()));
  }
}

function startServer({ server }: Entry, profileDir: string | undefined): Promise<Listening> {
  switch (server.kind) {
    case "xrtc":
      return startListening("server", server.task, { profileDir });
    case "floor":
      return startListening("floor-server", {});
    case "mosquitto":
      return startMosquitto(server.noDelay);
    default:
      return server satisfies never;
  }
}

async function addressOf(port: number, way: Way, started: Started[]): Promise<Address> {
  if (way === "loopback") return { host: HOST, port, sendPort: port, receivePort: port };
  const relay = async (): Promise<number> => {
    const child = await startListening("relay", { port, delayMs: DELAY_MS });
    started.push(child);
    return child.port;
  };
  // One a hop.
  const [sendPort, receivePort] = await Promise.all([relay(), relay()]);
  return { host: HOST, port, sendPort, receivePort };
}
