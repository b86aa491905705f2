import { runServerCommand } from "../../src/server/command/command.js";

/** The command `xrtc-server` in this process. */
export class RunningCommand implements AsyncDisposable {
  /** What it printed so far. */
  out = "";
  error = "";
  readonly code: Promise<number>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #reload: () => void = () => {};

  constructor(
    argv: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = {},
  ) {
    this.code = runServerCommand(argv, {
      environment,
      version: "1.2.3",
      stop: this.#stop.signal,
      onReload: (callback) => (this.#reload = callback),
      stdout: (text) => {
        this.out += text;
        this.#told();
      },
      stderr: (text) => {
        this.error += text;
        this.#told();
      },
    });
    void this.code.finally(() => this.#told());
  }

  /** The first group of a pattern, once it stands in what it printed, for people or for a log. */
  async printed(pattern: RegExp): Promise<string> {
    let isOver = false;
    const over = this.code.then(() => (isOver = true));
    for (;;) {
      const match = pattern.exec(this.out) ?? pattern.exec(this.error);
      if (match !== null) return match[1] ?? match[0];
      if (isOver) throw new Error(`it ended without ${pattern}: ${this.error}`);
      await Promise.race([new Promise<void>((resolve) => this.#waiting.add(resolve)), over]);
    }
  }

  /** Its base URL, once it listens. */
  url(): Promise<string> {
    return this.printed(/listens on (https?:\S+)\n/);
  }

  /** The records of its log so far. */
  get log(): Record<string, unknown>[] {
    const lines = this.error.split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** What SIGHUP does. */
  reload(): void {
    this.#reload();
  }

  /** Stops it. @returns its exit code */
  stop(): Promise<number> {
    this.#stop.abort();
    return this.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #told(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs a command that ends by itself. */
export async function ran(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const running = new RunningCommand(argv, environment);
  const code = await running.code;
  return { code, out: running.out, error: running.error };
}
