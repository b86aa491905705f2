import { strict as assert } from "node:assert";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { XrtcServerOptions } from "../../src/server/index.js";
import type { ServerStats } from "../../src/server/stats.js";

/** What the server's process holds, after all garbage was collected. */
export interface Held {
  readonly memoryBytes: number;
  readonly stats: ServerStats;
}

/** A real server in a process of its own, so that its memory and its event loop are its own. */
export class AttackedServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(
    child: ChildProcess,
    readonly url: string,
  ) {
    this.#child = child;
  }

  static async open(options: Partial<XrtcServerOptions>): Promise<AttackedServer> {
    const child = fork(join(__dirname, "attacked-server.ts"), [JSON.stringify(options)], {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    let output = "";
    const keep = (text: string): void => {
      output += text;
    };
    child.stdout?.setEncoding("utf8").on("data", keep);
    child.stderr?.setEncoding("utf8").on("data", keep);
    const ended = once(child, "exit").then(() => assert.fail(`it did not start: ${output}`));
    const [message] = (await Promise.race([once(child, "message"), ended])) as [
      { readonly url: string },
    ];
    // What it rejects with after this is nobody's concern.
    ended.catch(() => undefined);
    const server = new AttackedServer(child, message.url);
    server.#output = output;
    const append = (text: string): void => {
      server.#output += text;
    };
    child.stdout?.on("data", append);
    child.stderr?.on("data", append);
    return server;
  }

  /** Everything that it wrote, its log among it. */
  get output(): string {
    return this.#output;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async held(): Promise<Held> {
    const answer = once(this.#child, "message") as Promise<[Held]>;
    this.#child.send("held");
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}
