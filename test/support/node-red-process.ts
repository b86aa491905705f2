/** A real Node-RED in a process of its own, with this package in it as it was built last. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { TemporaryFolder, ROOT } from "./tree.js";
import { WaitingList } from "./waiting-list.js";

const PACKAGE = "@xrtc-community/node-red-xrtc";
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}
export type Flow = readonly FlowNode[];
export type Message = Readonly<Record<string, unknown>>;

export interface Status {
  readonly fill?: string;
  readonly shape?: string;
  readonly text?: string;
}

export interface NodeRedOptions {
  /** What its flow file holds when it starts; nodes may have `credentials`. @defaultValue nothing */
  readonly flow?: Flow;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further properties of its settings; they have to have a form in JSON. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

interface Debugged {
  readonly kind: "debug";
  readonly id: string;
  readonly name: string;
  readonly msg: Message;
}
type Report =
  | Debugged
  | { readonly kind: "status"; readonly id: string; readonly status: Status }
  | { readonly kind: "stopped" }
  | { readonly kind: "started" };

/** The Node-RED under test: the one that `NODE_RED_PKG` names. */
export const nodeRedHome = (): string =>
  dirname(require.resolve(`${process.env["NODE_RED_PKG"] ?? "node-red"}/package.json`));

export class NodeRedProcess implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines = new WaitingList<string>();
  readonly #reports = new WaitingList<Report>();
  /** How many messages of each debug node were taken already, by its id or name. */
  readonly #taken = new Map<string, number>();
  /** The first report that is about the nodes of the latest full deploy. */
  #current = 0;
  #url = "";

  private constructor(folder: TemporaryFolder, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    const settings = join(folder.path, "settings.js");
    const args = [join(nodeRedHome(), "red.js"), "--userDir", folder.path, "--settings", settings];
    this.#child = spawn(process.execPath, args, {
      cwd: folder.path,
      env: { ...plainEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Buffers stay Buffers.
      serialization: "advanced",
    });
    this.#child.on("message", (report) => this.#reports.add(report as Report));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => this.#lines.add(line));
    }
    this.#ended = once(this.#child, "close").finally(() => {
      const end = new Error(`Node-RED ended; it printed\n${this.lines.slice(-20).join("\n")}`);
      this.#lines.end(end);
      this.#reports.end(end);
    });
  }

  /** Resolves when its editor can be reached and its flows have started. */
  static async start(options: NodeRedOptions = {}): Promise<NodeRedProcess> {
    const folder = new TemporaryFolder();
    furnish(folder.path, options);
    const started = new NodeRedProcess(folder, options.env ?? {});
    try {
      await started.#ready();
      return started;
    } catch (thrown) {
      await started[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** The editor's address, which ends with a slash. */
  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its user directory, which is also the folder of relative file names. */
  get userDir(): string {
    return this.#folder.path;
  }

  /** What it has printed, oldest first. */
  get lines(): readonly string[] {
    return this.#lines.all;
  }

  /** Every badge that a node has had since the latest full deploy, oldest first. */
  badges(id: string): Status[] {
    return this.#reports.all
      .slice(this.#current)
      .flatMap((report) => (report.kind === "status" && report.id === id ? [report.status] : []));
  }

  /** Resolves with the first printed line that matches. */
  printed(pattern: RegExp): Promise<string> {
    return this.#lines.until(
      (lines) => lines.find((line) => pattern.test(line)),
      `a line like ${String(pattern)}`,
    );
  }

  /** Resolves as soon as a node's latest badge looks like this. */
  badge(id: string, look: Status): Promise<Status> {
    const wanted = Object.entries(look);
    return this.#reports.until(
      () => {
        const latest = this.badges(id).at(-1);
        return wanted.every(([key, value]) => latest?.[key as keyof Status] === value)
          ? latest
          : undefined;
      },
      `the badge ${JSON.stringify(look)} of ${id}`,
    );
  }

  /** All that a debug node has received since the latest full deploy, by its id or name, taken or not. */
  debugged(debug: string): Message[] {
    return this.#reports.all
      .slice(this.#current)
      .flatMap((report) =>
        report.kind === "debug" && (report.id === debug || report.name === debug)
          ? [report.msg]
          : [],
      );
  }

  /**
   * The next messages of a debug node, as soon as there are so many; each is taken once.
   *
   * @param debug - the debug node's id or name
   * @param msMax - milliseconds to wait for them
   */
  async taken(debug: string, count: number, msMax?: number): Promise<Message[]> {
    const from = this.#taken.get(debug) ?? 0;
    this.#taken.set(debug, from + count);
    return this.#reports.until(
      () => {
        const messages = this.debugged(debug).slice(from, from + count);
        return messages.length === count ? messages : undefined;
      },
      `message ${from + count} of "${debug}"`,
      msMax,
    );
  }

  /** The next message of a debug node. */
  async next(debug: string, msMax?: number): Promise<Message> {
    const [message] = await this.taken(debug, 1, msMax);
    return message as Message;
  }

  /** Resolves with the first message of a debug node that fits, whether others came before it or not. */
  seen(debug: string, fits: (message: Message) => boolean, msMax?: number): Promise<Message> {
    return this.#reports.until(
      () => this.debugged(debug).find(fits),
      `the message of "${debug}"`,
      msMax,
    );
  }

  /** Presses the button of an inject node. */
  async inject(id: string): Promise<void> {
    const answer = await fetch(`${this.url}inject/${id}`, { method: "POST" });
    if (!answer.ok) throw new Error(`POST /inject/${id} answered ${answer.status}`);
  }

  /** Deploys, and resolves when the flows have started again. Nodes may have `credentials`. */
  async deploy(flow: Flow, type: "full" | "flows" | "nodes" = "full"): Promise<void> {
    const before = this.#reports.all.length;
    const answer = await fetch(`${this.url}flows`, {
      method: "POST",
      headers: { "content-type": "application/json", "node-red-deployment-type": type },
      body: JSON.stringify(flow),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST /flows answered ${answer.status}: ${text}`);
    const find = (kind: Report["kind"]): number | undefined => {
      const at = this.#reports.all.findIndex(
        (report, place) => place >= before && report.kind === kind,
      );
      return at === -1 ? undefined : at;
    };
    await this.#reports.until(() => find("started"), "the start of the flows");
    if (type !== "full") return;
    this.#current = find("stopped") ?? before;
    this.#taken.clear();
  }

  /** Ends it as a service manager does. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    let late = false;
    if (exitCode === null && signalCode === null) {
      const deadline = setTimeout(() => {
        late = true;
        this.#child.kill("SIGKILL");
      }, STOP_MS_MAX);
      this.#child.kill("SIGTERM");
      await this.#ended;
      clearTimeout(deadline);
    }
    await this.#ended;
    this.#folder[Symbol.dispose]();
    if (late) throw new Error(`Node-RED did not stop within ${STOP_MS_MAX} ms`);
  }

  async #ready(): Promise<void> {
    const address = /http:\/\/127\.0\.0\.1:\d+\//;
    this.#url = await this.#lines.until(
      (lines) => lines.map((line) => address.exec(line)?.[0]).find((url) => url !== undefined),
      "the editor's address",
      START_MS_MAX,
    );
    await this.#reports.until(
      (reports) => reports.find(({ kind }) => kind === "started"),
      "the first start of the flows",
      START_MS_MAX,
    );
  }
}

/** A user directory as Node-RED expects it, with this package in it. */
function furnish(userDir: string, { flow = [], settings = {} }: NodeRedOptions): void {
  if (!existsSync(join(ROOT, "dist/nodes/xrtc-config.html"))) {
    throw new Error("the package is not built: npm run build");
  }
  const module = join(userDir, "node_modules", PACKAGE);
  mkdirSync(dirname(module), { recursive: true });
  symlinkSync(ROOT, module, "junction");
  const credentials = Object.fromEntries(
    flow.flatMap(({ id, credentials: secret }) => (secret === undefined ? [] : [[id, secret]])),
  );
  const nodes = flow.map(({ credentials: _secret, ...node }) => node);
  writeFileSync(join(userDir, "flows.json"), JSON.stringify(nodes));
  writeFileSync(join(userDir, "flows_cred.json"), JSON.stringify(credentials));
  const all = {
    uiHost: "127.0.0.1",
    uiPort: 0,
    flowFile: "flows.json",
    // Kept readable, so that a test may write the file itself.
    credentialSecret: false,
    fileWorkingDirectory: userDir,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    lang: "en-US",
    logging: { console: { level: "info", metrics: false, audit: false } },
    ...settings,
  };
  const home = nodeRedHome();
  const util = require.resolve("@node-red/util", { paths: [home] });
  writeFileSync(
    join(userDir, "settings.js"),
    [
      `require(${JSON.stringify(join(__dirname, "node-red-tap.cjs"))})`,
      `  .install(require(${JSON.stringify(util)}));`,
      `module.exports = ${JSON.stringify(all)};\n`,
    ].join("\n"),
  );
}

/** This process's environment without what would change how the nodes or their process behave. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const {
    NODE_OPTIONS: _options,
    ACCOUNT_ID: _account,
    API_KEY: _key,
    LOGIN_URL: _login,
    SET_URL: _set,
    GET_URL: _get,
    ...plain
  } = process.env;
  return plain;
}
