/** A real server in a process of its own, which can be killed, stopped and started again. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { LogRecord, XrtcServerOptions } from "../../src/server/index.js";
import { ROOT } from "./tree.js";
import { WaitingList } from "./waiting-list.js";

const START_MS_MAX = 15_000;

/** What can be sent to another process: no clock, no functions. */
export type KillableServerOptions = Omit<
  XrtcServerOptions,
  "clock" | "random" | "randomBytes" | "log"
>;

interface Told {
  readonly url?: string;
  readonly error?: string;
  readonly record?: LogRecord;
}

let program: Promise<string> | undefined;

/** The child's program in one file, made once: from the sources it would take a second to start. */
function childProgram(): Promise<string> {
  program ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "xrtc-child-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const outfile = join(folder, "server-child.cjs");
    await build({
      entryPoints: [join(__dirname, "server-child.ts")],
      outfile,
      bundle: true,
      platform: "node",
      target: "node20",
      format: "cjs",
      packages: "external",
      logLevel: "error",
    });
    return outfile;
  })();
  return program;
}

export class KillableServer implements AsyncDisposable {
  readonly #options: KillableServerOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #told = new WaitingList<Told>();
  #port: number;

  private constructor(options: KillableServerOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** Resolves when it listens. @throws Error when it cannot */
  static async start(options: KillableServerOptions): Promise<KillableServer> {
    const server = new KillableServer(options);
    try {
      await server.#start();
      return server;
    } catch (thrown) {
      await server[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** The same after each restart. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it logged since its last start. */
  get records(): readonly LogRecord[] {
    return this.#told.all.flatMap(({ record }) => (record === undefined ? [] : [record]));
  }

  /** Sends a signal. Resolves when a process that was ended by it is gone. */
  async kill(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    this.#child?.kill(signal);
    if (signal === "SIGSTOP" || signal === "SIGCONT") return;
    await this.#ended;
    this.#child = undefined;
  }

  /** Starts it again on its port; kills it first if it still runs. Resolves when it listens. */
  async restart(): Promise<void> {
    await this.kill("SIGKILL");
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A process that is stopped ends by this signal, too.
    await this.kill("SIGKILL");
  }

  async #start(): Promise<void> {
    // The parent's own flags are for its sources.
    const child = fork(await childProgram(), { execArgv: [], stdio: "inherit" });
    const told = new WaitingList<Told>();
    this.#child = child;
    this.#told = told;
    const killed = (): boolean => child.kill("SIGKILL");
    process.once("exit", killed);
    this.#ended = once(child, "close").finally(() => {
      process.removeListener("exit", killed);
      told.end(new Error("the server's process ended"));
    });
    child.on("message", (message) => told.add(message as Told));
    child.send({ ...this.#options, port: this.#port });
    const { url, error } = await told.until(
      (all) => all.find((each) => each.url !== undefined || each.error !== undefined),
      "the word of the server that it listens",
      START_MS_MAX,
    );
    if (url === undefined) throw new Error(error);
    this.#port = Number(new URL(url).port);
  }
}
