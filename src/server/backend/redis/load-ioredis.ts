import type { Redis } from "ioredis";
import { XrtcError } from "../../../errors.js";

/** The client of Redis, as far as this project knows it. */
export interface Ioredis {
  readonly Redis: typeof Redis;
}

/**
 * Loads the client of Redis, which is installed by those who use it only.
 *
 * @throws XrtcError XRTC_ENGINE_UNAVAILABLE when it is not there
 */
export async function loadIoredis(): Promise<Ioredis> {
  try {
    const ioredis = await import("ioredis");
    return { Redis: ioredis.Redis };
  } catch (cause) {
    const message = "an engine in Redis needs the package ioredis: npm install ioredis@6";
    throw new XrtcError("XRTC_ENGINE_UNAVAILABLE", message, { cause });
  }
}
