/** What a machine has to have for a measurement, and has not. */

import { loadMqtt } from "./contenders/mqtt.js";
import { hasMosquitto, hasRedis } from "./processes.js";
import { loadRedis } from "./setters/redis.js";

export type Peer = "mosquitto" | "redis";

export interface Missing {
  readonly peer: Peer;
  /** What the report says of it. */
  readonly why: string;
}

/** Which of the peers cannot be measured here. */
export async function missingOf(peers: readonly Peer[]): Promise<readonly Missing[]> {
  const found: Missing[] = [];
  const told = (peer: Peer, name: string): void => {
    found.push({ peer, why: `${name} is not installed: ${peer} was left out.` });
  };
  if (peers.includes("mosquitto")) {
    if (!(await hasMosquitto())) told("mosquitto", "mosquitto");
    if (loadMqtt() === undefined) told("mosquitto", "mqtt.js");
  }
  if (peers.includes("redis")) {
    if (!(await hasRedis())) told("redis", "redis-server");
    if (loadRedis() === undefined) told("redis", "ioredis");
  }
  return found;
}

/** Files that a process may have open beside the sockets of its readers. */
const OTHER_FILES = 300;

/** As many readers as one process may have a socket for, if not all of them. */
export function readersAllowed(wanted: number): number {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: Readonly<Record<string, { readonly hard: number | string }>>;
  };
  const limit = userLimits?.["open_files"]?.hard;
  return typeof limit === "number" ? Math.min(wanted, limit - OTHER_FILES) : wanted;
}
