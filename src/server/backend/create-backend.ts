import type { ServerSettings } from "../options.js";
import type { Backend } from "./backend.js";
import { MemoryBackend } from "./memory/memory-backend.js";

/**
 * The backend that the options ask for. What another one needs is not even loaded.
 *
 * @throws XrtcError XRTC_ENGINE_UNAVAILABLE when what it needs is not installed
 */
export async function createBackend(settings: ServerSettings): Promise<Backend> {
  const { engine } = settings;
  if (engine.kind === "memory") return new MemoryBackend(settings);
  const { createRedisBackend } = await import("./redis/redis-backend.js");
  return createRedisBackend(settings, engine);
}
