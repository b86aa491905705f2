import { XrtcError } from "../errors.js";
import { Redacted } from "../primitives/redacted.js";

/** Where everything is kept, and how well. */
export type EngineSettings =
  | { readonly kind: "memory"; readonly durability: "memory" }
  | {
      readonly kind: "redis";
      readonly durability: "redis" | "redis-aof";
      /** There may be a password in it. */
      readonly url: Redacted;
      /** What the names of all keys begin with. */
      readonly prefix: string;
    };

export interface EngineOptions {
  readonly engine?: string;
  readonly durability?: "redis" | "redis-aof";
  readonly enginePrefix?: string;
}

/**
 * The options of the engine as the server works with them. The error says nothing of what stands in a URL that cannot
 * be used: a password may be in it.
 *
 * @throws XrtcError XRTC_OPTIONS when they do not go together, or the engine is none
 */
export function engineOf(options: EngineOptions): EngineSettings {
  const { engine = "memory", durability, enginePrefix } = options;
  if (engine !== "memory") {
    if (!isRedisUrl(engine)) {
      throw new XrtcError("XRTC_OPTIONS", 'engine: "memory", or a redis:// or rediss:// URL');
    }
    const [prefix, url] = [enginePrefix ?? "xrtc", new Redacted(engine)];
    return { kind: "redis", durability: durability ?? "redis", url, prefix };
  }
  if (durability === undefined && enginePrefix === undefined) {
    return { kind: "memory", durability: "memory" };
  }
  const idle = durability === undefined ? "enginePrefix" : "durability";
  throw new XrtcError("XRTC_OPTIONS", `${idle}: only an engine in Redis has one to choose`);
}

const isRedisUrl = (url: string): boolean =>
  URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
