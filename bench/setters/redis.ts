import { createRequire } from "node:module";
import type { Setter } from "./setter.js";

/** What is used of ioredis, which need not be installed. */
interface RedisModule {
  readonly Redis: new (options: object) => RedisClient;
}

interface RedisCommands {
  xadd(key: string, ...rest: readonly (string | number)[]): unknown;
}

interface RedisClient extends RedisCommands {
  connect(): Promise<void>;
  pipeline(): RedisCommands & {
    exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>;
  };
  call(command: string, ...rest: readonly string[]): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): void;
  disconnect(): void;
}

const load = createRequire(__filename);

/** ioredis, or undefined where it is not installed. */
export function loadRedis(): RedisModule | undefined {
  try {
    return load("ioredis") as RedisModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const KEY = "bench";
/** As many items as a portal's ring holds; `~` lets Redis trim when it is cheap. */
const BOUND = ["MAXLEN", "~", 4_096] as const;

/** ioredis and one stream: a command an item, or a pipeline of them. */
export class RedisSetter implements Setter {
  readonly #client: RedisClient;

  constructor(port: number) {
    const redis = loadRedis();
    if (redis === undefined) throw new Error("ioredis is not installed");
    this.#client = new redis.Redis({
      host: "127.0.0.1",
      port,
      lazyConnect: true,
      retryStrategy: null,
    });
    // What fails is told to the command that was to be answered.
    this.#client.on("error", () => undefined);
  }

  open(): Promise<void> {
    return this.#client.connect();
  }

  async set(payloads: readonly string[]): Promise<unknown> {
    const [only] = payloads;
    if (payloads.length === 1 && only !== undefined) return addTo(this.#client, only);
    const pipeline = this.#client.pipeline();
    for (const payload of payloads) addTo(pipeline, payload);
    const answers = (await pipeline.exec()) ?? [];
    for (const [error] of answers) if (error !== null) throw error;
    return answers;
  }

  async stored(): Promise<number | undefined> {
    const info = (await this.#client.call("XINFO", "STREAM", KEY)) as readonly unknown[];
    const at = info.indexOf("entries-added");
    return at === -1 ? undefined : Number(info[at + 1]);
  }

  async close(): Promise<void> {
    this.#client.disconnect();
    return Promise.resolve();
  }
}

const addTo = (commands: RedisCommands, payload: string): unknown =>
  commands.xadd(KEY, ...BOUND, "*", "item", payload);
