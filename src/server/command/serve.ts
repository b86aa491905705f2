import { randomBytes } from "node:crypto";
import { systemClock } from "../../primitives/clock.js";
import { type Log, Logger } from "../log.js";
import { newAccountId, newApiKey } from "../../protocol/new-credentials.js";
import { optionsSchema, type XrtcServerOptions } from "../options.js";
import { XrtcServer } from "../server.js";
import { NO_STATS } from "../stats.js";
import { addressOf } from "./address-of.js";
import { AdminListener } from "./admin-listener.js";
import type { Config } from "./config-options.js";
import { FileWatch } from "./file-watch.js";
import { greeting } from "./greeting.js";
import { DEFAULT_LOG_LEVEL, logLines } from "./log-lines.js";
import { Metrics } from "./metrics.js";
import { renew } from "./renew.js";
import type { ServeConfig } from "./serve-config.js";
import { ServedFiles, warnOfEnd } from "./served-files.js";
import { listenAtLast } from "./listen-at-last.js";

export interface ServePorts {
  readonly version: string;
  /** Aborted when the command shall end. */
  readonly stop: AbortSignal;
  /** Calls back whenever the files shall be read again. */
  readonly onReload: (callback: () => void) => void;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Serves until it is told to stop.
 *
 * @throws UsageError, XrtcError when it cannot begin
 */
export async function serve(told: ServeConfig, ports: ServePorts): Promise<void> {
  await using service = new Service(told, ports);
  await service.run();
}

/** One run of the server, with what belongs to it. */
class Service implements AsyncDisposable {
  readonly #told: ServeConfig;
  readonly #ports: ServePorts;
  readonly #log: Log;
  readonly #logger: Logger;
  readonly #files: ServedFiles;
  /** Made for this run, where nobody named any. */
  readonly #made: ServeConfig["credentials"];
  #server: XrtcServer | undefined;
  /** Why nobody is served before the server listens, and after. */
  #absence: string | undefined = "the server is starting";
  #certificateEndMs: number | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #admin: AdminListener | undefined;
  #watch: FileWatch | undefined;

  constructor(told: ServeConfig, ports: ServePorts) {
    const { config, credentials } = told;
    this.#told = told;
    this.#ports = ports;
    this.#log = logLines({
      level: config.logLevel ?? DEFAULT_LOG_LEVEL,
      clock: systemClock,
      write: (line) => ports.stderr(line),
    });
    this.#logger = new Logger(this.#log, systemClock);
    const isNobody = credentials === undefined && config.accounts === undefined;
    this.#made = isNobody
      ? { accountId: newAccountId(randomBytes), apiKey: newApiKey(randomBytes) }
      : undefined;
    this.#files = new ServedFiles({ config, credentials: credentials ?? this.#made });
  }

  async run(): Promise<void> {
    const { stop, stdout, onReload } = this.#ports;
    const options = await this.#options();
    // A mistake is told now, and not when the engine can be reached at last.
    const metrics = await this.#openAdmin(new XrtcServer(options));
    const observed = metrics === undefined ? options : { ...options, observer: metrics.observer };
    const url = await listenAtLast({
      make: () => (this.#server = new XrtcServer(observed)),
      stop,
      clock: systemClock,
      logger: this.#logger,
      waiting: (why) => (this.#absence = why),
    });
    if (url === undefined || this.#server === undefined) return;
    this.#absence = undefined;
    onReload(() => this.#renew());
    const { preset, durability } = this.#server;
    this.#logger.write("info", "listening", "the server listens", { url, preset, durability });
    stdout(greeting({ url, preset, options, admin: metrics?.url, made: this.#made, durability }));
    await stopped(stop);
    this.#logger.write("info", "stopping", "the server ends what is open, and then itself");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#absence = "the server is closing";
    this.#watch?.close();
    await this.#renewing;
    await this.#server?.close();
    await this.#admin?.close();
  }

  async #options(): Promise<XrtcServerOptions> {
    // Before they are read: what changes from here on is noticed.
    this.#watch = await FileWatch.open({
      paths: this.#files.paths,
      clock: systemClock,
      onChange: () => this.#renew(),
    });
    const served = this.#files.tls();
    if (served !== undefined) this.#certificateEndMs = warnOfEnd(served, this.#logger);
    const engine = this.#files.engine();
    return {
      ...serverPartOf(this.#told.config),
      ...(engine === undefined ? {} : { engine }),
      ...(served === undefined ? {} : { tls: served.tls }),
      accounts: this.#files.accounts(),
      log: this.#log,
    };
  }

  async #openAdmin({
    preset,
    durability,
  }: XrtcServer): Promise<{ readonly observer: Metrics; readonly url: string } | undefined> {
    const { metrics: address } = this.#told.config;
    if (address === undefined) return undefined;
    const trouble = (): string | undefined => this.#absence ?? this.#server?.trouble;
    const observer = await Metrics.create(
      {
        trouble,
        stats: () => this.#server?.stats ?? NO_STATS,
        certificateEndMs: () => this.#certificateEndMs,
      },
      { version: this.#ports.version, preset, durability },
    );
    this.#admin = new AdminListener({
      address: addressOf(address, "--metrics"),
      trouble,
      metrics: () => observer.text(),
    });
    const url = await this.#admin.listen();
    this.#logger.write("info", "metrics", "metrics and health are served", { url });
    return { observer, url };
  }

  /** One after the other: the last look at the files counts. */
  #renew(): void {
    this.#renewing = this.#renewing.then(() => this.#renewNow());
  }

  async #renewNow(): Promise<void> {
    if (this.#absence !== undefined || this.#server === undefined) return;
    const endMs = await renew(this.#server, this.#files, this.#logger);
    if (endMs !== undefined) this.#certificateEndMs = endMs;
  }
}

/** The options that are the server's own; the others are about files, or about the command. */
const serverPartOf = (config: Config): Omit<XrtcServerOptions, "accounts"> =>
  Object.fromEntries(
    Object.entries(config).filter(([name]) => name !== "accounts" && name in optionsSchema.shape),
  );

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
}
