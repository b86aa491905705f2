/** What Redis tells of itself. */

import type { Redis } from "ioredis";
import { asError } from "../../../errors.js";
import type { Persistence } from "./durability.js";

/** One run of a Redis process: another one may have lost what this one held. */
export async function runOf(client: Redis): Promise<string> {
  const run = /^run_id:(\w+)/m.exec(await client.info("server"))?.[1];
  if (run === undefined) throw new Error("Redis does not tell its run_id (INFO server)");
  return run;
}

/** How it keeps things; undefined where it does not say. */
export async function persistenceOf(client: Redis): Promise<Persistence> {
  const [appendonly, appendfsync, maxmemory, maxmemoryPolicy] = await Promise.all(
    ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy"].map((name) =>
      told(client, name),
    ),
  );
  return { appendonly, appendfsync, maxmemory, maxmemoryPolicy };
}

async function told(client: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await client.config("GET", name)) as unknown[];
    return typeof value === "string" ? value : undefined;
  } catch (error) {
    // Hosted ones do not let their users ask.
    if (asError(error).name === "ReplyError") return undefined;
    throw error;
  }
}
