/** What has to be installed for a contender, and is not. */

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
