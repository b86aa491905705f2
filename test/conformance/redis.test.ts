import type { LimitsPreset } from "../../src/protocol/limits.js";
import { needsRedis, RedisServer } from "../support/redis.js";
import { startLocal, type Started } from "./local-target.js";
import { describeConformance, HOSTED_NOT_ASKED, LOCAL_NOT_ASKED } from "./suite.js";

async function startOnRedis(preset: LimitsPreset): Promise<Started> {
  const redis = await RedisServer.start();
  const { target, close } = await startLocal(`Redis, ${preset}`, preset, (side) => ({
    engine: redis.url,
    enginePrefix: side,
  }));
  return {
    target,
    async close() {
      await close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

describeConformance("conformance of the Redis engine", [
  {
    name: "The preset local",
    needs: needsRedis,
    start: () => startOnRedis("local"),
    notAsked: LOCAL_NOT_ASKED,
  },
  {
    name: "The preset hosted",
    needs: needsRedis,
    start: () => startOnRedis("hosted"),
    notAsked: HOSTED_NOT_ASKED,
  },
]);
