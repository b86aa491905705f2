/** A real MQTT broker: Debian's mosquitto in a process of its own, on a free port of this machine. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { TemporaryFolder } from "./tree.js";
import { WaitingList } from "./waiting-list.js";

const START_MS_MAX = 10_000;
/** Attempts to get a port: between its choice and its use somebody else may take it. */
const PORTS_MAX = 5;

/** The broker's program, or undefined where it is not installed. */
export function mosquittoProgram(): string | undefined {
  // Debian has it in a folder that not every user's path names.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, "mosquitto")).find((path) => existsSync(path));
}

/**
 * Leaves a suite out where there is no mosquitto, with a word why. Continuous integration leaves nothing out: there it
 * is an error.
 */
export function needsMosquitto(context: Mocha.Context): void {
  if (mosquittoProgram() !== undefined) return;
  const reason = "mosquitto is not installed: apt-get install mosquitto";
  if (process.env["CI"] !== undefined) throw new Error(reason);
  console.log(`    ${reason}`);
  context.skip();
}

export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly #folder: TemporaryFolder;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines = new WaitingList<string>();

  private constructor(program: string, port: number) {
    this.port = port;
    this.#folder = new TemporaryFolder();
    const file = join(this.#folder.path, "mosquitto.conf");
    writeFileSync(file, configuration(port));
    this.#child = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    if (this.#child.stderr !== null) {
      createInterface({ input: this.#child.stderr }).on("line", (line) => this.#lines.add(line));
    }
    this.#ended = once(this.#child, "close").finally(() => {
      this.#lines.end(new Error(`mosquitto ended; it printed\n${this.#lines.all.join("\n")}`));
    });
  }

  /**
   * Resolves when the broker takes connections.
   *
   * @param port - where an earlier one was @defaultValue any that is free
   */
  static async start(port?: number): Promise<Mosquitto> {
    const program = mosquittoProgram();
    if (program === undefined) throw new Error("mosquitto is not installed");
    for (let attempt = 1; ; attempt += 1) {
      const broker = new Mosquitto(program, port ?? (await freePort()));
      try {
        await broker.#running();
        return broker;
      } catch (thrown) {
        await broker[Symbol.asyncDispose]();
        const isTaken = broker.#lines.all.some((line) => line.includes("already in use"));
        if (!isTaken || attempt === PORTS_MAX) throw thrown;
      }
    }
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
    this.#folder[Symbol.dispose]();
  }

  async #running(): Promise<void> {
    await this.#lines.until(
      (lines) => lines.find((line) => /\brunning$/.test(line)),
      "the broker's word that it runs",
      START_MS_MAX,
    );
  }
}

const configuration = (port: number): string =>
  [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence false",
    "log_dest stderr",
    // What a reader has not taken yet waits, however much it is: a test must not lose it here.
    "max_queued_messages 0",
    "",
  ].join("\n");

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
