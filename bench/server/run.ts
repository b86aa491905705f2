/** One run of a measurement of the server: its processes from start to end, and what was found. */

import { cpuMicrosOf } from "../cpu-time.js";
import type { Figures } from "../phases.js";
import {
  startListening,
  startMosquitto,
  startRedis,
  type AppendFsync,
  type Listening,
  type Started,
} from "../processes.js";
import type { Run } from "../run.js";
import type { Faults } from "../tally.js";
import { fanOut, waiting } from "./crowds.js";
import { growth } from "./growth.js";
import { sets } from "./sets.js";
import type { ServerChoice, ServerEntry } from "./plan.js";

export interface Found {
  readonly figures: Figures;
  /** Items sent, or deliveries where there are many readers. */
  readonly items: number;
  readonly faults: Faults;
}

/** The processes of a run. */
export interface Stage {
  readonly profileDir: string | undefined;
  /** Takes a process in, so that it is ended with the run. */
  add<T extends Started>(started: T): T;
  /** Starts a server and what it needs. */
  serve(choice: ServerChoice): Promise<Served>;
}

export interface Served {
  readonly port: number;
  readonly server: Listening;
  /** Microseconds of CPU time of all its processes. */
  cpuMicros(): number;
}

/** Measures; what goes wrong is part of what it finds. */
export async function runServerEntry(
  entry: ServerEntry,
  round: number,
  profileDir?: string,
): Promise<Run> {
  const { section: way, contender } = entry;
  const started: Started[] = [];
  const add = <T extends Started>(process: T): T => {
    started.push(process);
    return process;
  };
  const serve = async (choice: ServerChoice): Promise<Served> => {
    const first = started.length;
    const server = await startServer(choice, add, profileDir);
    const processes = started.slice(first);
    return {
      port: server.port,
      server,
      cpuMicros: () =>
        processes.reduce((sum, { pid }) => sum + (cpuMicrosOf(pid) ?? Number.NaN), 0),
    };
  };
  try {
    const { figures, items, faults } = await measure(entry, { profileDir, add, serve });
    // What the system does not tell is left out.
    const told = Object.entries(figures).filter(([, value]) => Number.isFinite(value));
    return { round, way, contender, figures: Object.fromEntries(told), items, faults };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { round, way, contender, figures: {}, items: 0, faults: undefined, error: message };
  } finally {
    for (const process of started.toReversed()) await process.end();
  }
}

function measure(entry: ServerEntry, stage: Stage): Promise<Found> {
  switch (entry.section) {
    case "waiting":
      return waiting(entry, stage);
    case "fan-out":
      return fanOut(entry, stage);
    case "sets":
      return sets(entry, stage);
    case "growth":
      return growth(entry, stage);
    default:
      return entry satisfies never;
  }
}

/** So that what is kept can be told from what waits to be collected. */
const NODE_OPTIONS = ["--expose-gc"];

async function startServer(
  choice: ServerChoice,
  add: <T extends Started>(started: T) => T,
  profileDir: string | undefined,
): Promise<Listening> {
  switch (choice.kind) {
    case "xrtc": {
      const { root, options } = choice.task;
      const behind = choice.redis === undefined ? undefined : add(await startRedis(choice.redis));
      const engine = behind === undefined ? {} : redisEngine(behind, choice.redis);
      const task = { root, options: { ...options, ...engine } };
      return add(await startListening("server", task, { profileDir, nodeOptions: NODE_OPTIONS }));
    }
    case "floor":
      return add(
        await startListening("floor-server", {}, { profileDir, nodeOptions: NODE_OPTIONS }),
      );
    case "mosquitto":
      return add(await startMosquitto(true));
    case "redis":
      return add(await startRedis(choice.appendFsync));
    default:
      return choice satisfies never;
  }
}

const redisEngine = ({ port }: Listening, appendFsync: AppendFsync | undefined): object => ({
  engine: `redis://127.0.0.1:${port}`,
  durability: appendFsync === "always" ? "redis-aof" : "redis",
});
