import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const CLI = join(__dirname, "../../src/server/cli.ts");

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The command `xrtc-server` in a process of its own, with nothing in its environment but what is given. */
export class ServerProcess implements AsyncDisposable {
  /** What it printed so far. */
  out = "";
  error = "";
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;

  constructor(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = { PATH: process.env["PATH"], ...environment };
    this.#child = spawn(process.execPath, ["--import", "tsx", CLI, ...argv], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.error += text));
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** Its base URL, once it has printed it. */
  url(): Promise<string> {
    return this.printed(/listens on (https?:\S+)\n/);
  }

  /** The first group of a pattern, once it stands in what it printed for people. */
  printed(pattern: RegExp): Promise<string> {
    return this.#match(pattern, () => this.out, "stdout");
  }

  /** The same of its log. */
  logged(pattern: RegExp): Promise<string> {
    return this.#match(pattern, () => this.error, "stderr");
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  async #match(pattern: RegExp, text: () => string, name: "stdout" | "stderr"): Promise<string> {
    for (;;) {
      const match = pattern.exec(text());
      if (match !== null) return match[1] ?? match[0];
      assert.equal(this.#child.exitCode, null, `it ended without ${pattern}: ${this.error}`);
      await Promise.race([once(this.#child[name] as NodeJS.EventEmitter, "data"), this.exited]);
    }
  }
}

/** Calls the API of a server that is at this base URL. */
export const post = (url: string, body: object, cookie = ""): Promise<Response> =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { cookie } });

/** Logs in. @returns the status, and the cookies as a client sends them back */
export async function login(
  baseUrl: string,
  accountid: string,
  apikey: string,
): Promise<{ readonly status: number; readonly cookie: string }> {
  const response = await post(`${baseUrl}/auth/login`, { accountid, apikey });
  await response.text();
  const cookie = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return { status: response.status, cookie: cookie.join("; ") };
}
