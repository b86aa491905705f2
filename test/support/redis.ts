/** A real Redis: Debian's redis-server in a process of its own, on a free port of this machine. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { TemporaryFolder } from "./tree.js";
import { WaitingList } from "./waiting-list.js";

const START_MS_MAX = 15_000;
/** Attempts to get a port: between its choice and its use somebody else may take it. */
const PORTS_MAX = 5;

/** The server's program, Redis' own or Valkey's, or undefined where neither is installed. */
export function redisProgram(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/sbin"];
  return ["redis-server", "valkey-server"]
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/**
 * Leaves a suite out where there is no redis-server, with a word why. Continuous integration leaves nothing out: there
 * it is an error.
 */
export function needsRedis(context: Mocha.Context): void {
  if (redisProgram() !== undefined) return;
  const reason = "redis-server is not installed: apt-get install redis-server";
  if (process.env["CI"] !== undefined) throw new Error(reason);
  console.log(`    ${reason}`);
  context.skip();
}

export interface RedisOptions {
  /** Writes each command to disk before it is answered: what the durability class `redis-aof` asks for. */
  readonly aof?: boolean;
  /** Asks clients for this password. */
  readonly password?: string;
  /** Further options of its command line, such as `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
}

/** A Redis that can be killed, stopped and started again, on the same port and with the same files. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #options: RedisOptions;
  readonly #folder = new TemporaryFolder();
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #lines = new WaitingList<string>();

  private constructor(port: number, options: RedisOptions) {
    this.port = port;
    this.#options = options;
  }

  /** Resolves when it answers. */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const redis = new RedisServer(await freePort(), options);
      try {
        await redis.#start();
        return redis;
      } catch (thrown) {
        await redis[Symbol.asyncDispose]();
        const isTaken = redis.#lines.all.some((line) => line.includes("already in use"));
        if (!isTaken || attempt === PORTS_MAX) throw thrown;
      }
    }
  }

  /** For clients, with the password in it if there is one. */
  get url(): string {
    const { password } = this.#options;
    const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    return `redis://${user}127.0.0.1:${this.port}`;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it printed since its last start. */
  get printed(): readonly string[] {
    return this.#lines.all;
  }

  /**
   * Sends a signal: SIGKILL ends it as a power cut would, SIGSTOP lets it hang with its connections open, SIGCONT lets
   * it go on. Resolves when a process that was killed is gone.
   */
  async kill(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    this.#child?.kill(signal);
    if (signal === "SIGSTOP" || signal === "SIGCONT") return;
    await this.#ended;
    this.#child = undefined;
  }

  /** Starts it again on its port and its files; kills it first if it still runs. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill("SIGKILL");
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A process that is stopped ends by this signal, too.
    await this.kill("SIGKILL");
    this.#folder[Symbol.dispose]();
  }

  async #start(): Promise<void> {
    const program = redisProgram();
    if (program === undefined) throw new Error("redis-server is not installed");
    const lines = new WaitingList<string>();
    const child = spawn(program, this.#arguments(), { stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => lines.add(line));
    }
    this.#lines = lines;
    this.#child = child;
    // Nothing stays behind when a test ends before its time.
    const killed = (): boolean => child.kill("SIGKILL");
    process.once("exit", killed);
    this.#ended = once(child, "close").finally(() => {
      process.removeListener("exit", killed);
      lines.end(new Error(`redis-server ended; it printed\n${lines.all.join("\n")}`));
    });
    // Printed when its files are read and it takes connections.
    await lines.until(
      (all) => all.find((line) => /ready to accept connections/i.test(line)),
      "the word of redis-server that it is ready",
      START_MS_MAX,
    );
    await this.#answer();
  }

  #arguments(): readonly string[] {
    const { aof = false, password, args = [] } = this.#options;
    return [
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder.path],
      ...["--save", "", "--daemonize", "no", "--loglevel", "notice"],
      ...(aof ? ["--appendonly", "yes", "--appendfsync", "always"] : []),
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...args,
    ];
  }

  /** Any answer will do: one that asks for the password shows that it serves. */
  async #answer(): Promise<void> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(START_MS_MAX) });
      socket.write("PING\r\n");
      await once(socket, "data", { signal: AbortSignal.timeout(START_MS_MAX) });
    } finally {
      socket.destroy();
    }
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}
