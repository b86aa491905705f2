import type { Redis } from "ioredis";
import { asError, printable } from "../../../errors.js";
import type { Random } from "../../../primitives/random.js";
import type { Redacted } from "../../../primitives/redacted.js";
import { systemError, type WireError } from "../../wire-error.js";
import type { Ioredis } from "./load-ioredis.js";
import { metaKey } from "./keys.js";
import type { Script } from "./scripts/script.js";

/** Milliseconds after which a command that was not answered has failed: with what stands before it, well below 2 s. */
const COMMAND_MS_MAX = 1_200;
const CONNECT_MS_MAX = 1_000;
/** Milliseconds that a connection which was given up is waited for before it is cut. */
const DISCONNECT_MS_MAX = 50;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;

export interface ConnectionOptions {
  readonly ioredis: Ioredis;
  /** There may be a password in it. */
  readonly url: Redacted;
  readonly random: Random;
  /** What the operator sees of it in Redis. */
  readonly name: string;
  /** Milliseconds that Redis may take over a command by right, because it waits for something. @defaultValue 0 */
  readonly blockMs?: number;
  /**
   * Finds out whether what the connection leads to may be used, before anybody else uses it.
   *
   * @throws Error with the reason when not: it is tried again later
   */
  readonly prepare: (client: Redis) => Promise<void>;
  /** It may be used, again or for the first time. */
  readonly onReady: () => void;
  /** It may not be used any more. */
  readonly onLost: () => void;
}

/**
 * One connection to Redis that heals itself: nothing waits for it, and no command is sent twice. While it cannot be used
 * every command fails at once, so that a request has its 503 and not a place in a queue.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Redis;
  #isReady = false;
  #isClosed = false;
  #trouble: string | undefined = "not connected yet";
  #attempts = 0;
  /** One life of the socket. */
  #life = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const client = new options.ioredis.Redis(options.url.reveal(), {
      lazyConnect: true,
      connectionName: options.name,
      protocol: 2,
      commandTimeout: COMMAND_MS_MAX + (options.blockMs ?? 0),
      connectTimeout: CONNECT_MS_MAX,
      disconnectTimeout: DISCONNECT_MS_MAX,
      enableOfflineQueue: false,
      // A command may have been carried out although nobody heard so: whether to repeat it is not for here.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => this.#retryMs(),
      // A replica since a failover: look for its master anew.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
    this.#client = client;
    client.on("ready", () => void this.#prepare());
    client.on("close", () => this.#lost());
    client.on("error", (error) => this.#note(error));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why it cannot be used; undefined while it can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Begins to connect; how that went, `onReady` and `trouble` tell. */
  open(): void {
    // Why it failed is noted when it happens.
    this.#client.connect().catch(() => undefined);
  }

  /** Leaves no timer and no socket behind. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReady = false;
    const { status } = this.#client;
    if (status === "end") return;
    const ended = new Promise<void>((resolve) => {
      this.#client.once("end", () => resolve());
    });
    this.#client.disconnect();
    // One that waits for its next attempt has no socket whose end would tell.
    if (status !== "reconnecting" && status !== "wait") await ended;
  }

  /**
   * Runs a script on the keys of one account.
   *
   * @throws WireError 503 when Redis cannot be asked or does not answer; Error when it refuses
   */
  run(script: Script, base: string, args: readonly (string | number)[]): Promise<unknown> {
    const keysAndArguments = [metaKey(base), base, ...args];
    return this.#ask(async (client) => {
      try {
        return await client.evalsha(script.sha, 1, ...keysAndArguments);
      } catch (error) {
        if (!asError(error).message.startsWith("NOSCRIPT")) throw error;
        return client.eval(script.lua, 1, ...keysAndArguments);
      }
    });
  }

  /** Any other command. @throws as `run` does */
  call(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#ask((client) => client.call(command, ...args));
  }

  async #ask(command: (client: Redis) => Promise<unknown>): Promise<unknown> {
    if (!this.#isReady) throw unavailable();
    const life = this.#life;
    try {
      return await command(this.#client);
    } catch (error) {
      // Nothing of the error but its message: its command may hold a password.
      const { message, name } = asError(error);
      // oxlint-disable-next-line preserve-caught-error
      if (name === "ReplyError") throw new Error(printable(message));
      this.#cut(life, message);
      throw unavailable();
    }
  }

  /** It does not answer: what comes after must not wait for the same. */
  #cut(life: number, why: string): void {
    if (life !== this.#life || !this.#isReady) return;
    this.#trouble = printable(why);
    this.#stop();
    this.#client.disconnect(true);
  }

  async #prepare(): Promise<void> {
    const life = this.#life;
    try {
      await this.#options.prepare(this.#client);
    } catch (error) {
      if (life !== this.#life || this.#isClosed) return;
      this.#note(error);
      this.#client.disconnect(true);
      return;
    }
    if (life !== this.#life || this.#isClosed) return;
    this.#attempts = 0;
    this.#isReady = true;
    this.#trouble = undefined;
    this.#options.onReady();
  }

  #lost(): void {
    this.#life += 1;
    this.#stop();
  }

  #stop(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#trouble ??= "the connection was lost";
    this.#options.onLost();
  }

  #note(error: unknown): void {
    const { message, name } = asError(error);
    if (!this.#isReady) this.#trouble = printable(message === "" ? name : message);
  }

  #retryMs(): number {
    this.#attempts += 1;
    const bound = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#attempts, 10));
    return Math.ceil(bound * (0.5 + this.#options.random.next() / 2));
  }
}

const unavailable = (): WireError =>
  systemError(503, "the server cannot reach what it keeps just now");
