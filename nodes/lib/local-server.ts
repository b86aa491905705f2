import {
  Broadcast,
  type Clock,
  isXrtcError,
  type Limits,
  type Observable,
  sleep,
  XrtcError,
} from "../../src/index.js";
import { type Log, type ServerStats, XrtcServer } from "../../src/server/index.js";
import type { Credentials } from "./credentials.js";
import { asXrtcError } from "./errors.js";
import type { ServerSettings } from "./settings/server.js";

/** Milliseconds between two attempts to get the port: nobody else waits for it, so the pace need not vary. */
export const PORT_RETRY_MS = 2_000;

export type ServerState =
  /** No node runs it: none is deployed, or its time has not come yet. */
  | { readonly kind: "absent" }
  | { readonly kind: "starting" }
  | {
      readonly kind: "listening";
      readonly url: string;
      readonly limits: Limits;
      readonly credentials: Credentials;
      /** Counts since its start, and what is there now. */
      readonly stats: () => ServerStats;
    }
  /** It could not listen and tries again, or, without `retryInMs`, it cannot at all. */
  | { readonly kind: "failed"; readonly cause: XrtcError; readonly retryInMs?: number };

export interface LocalServerOptions {
  readonly settings: Pick<ServerSettings, "port" | "preset">;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** Resolves when what may still hold the port has let it go. */
  readonly portFree: () => Promise<void>;
  /** Takes what the server has to tell, the codes of registrations among it. */
  readonly log: Log;
}

/** A local XRTC server that keeps trying until its port is free. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #state = new Broadcast<ServerState>({ kind: "starting" });
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #server: XrtcServer | undefined;

  constructor(options: LocalServerOptions) {
    this.#options = options;
  }

  get state(): Observable<ServerState> {
    return this.#state;
  }

  get port(): number {
    return this.#options.settings.port;
  }

  /** Begins to listen; how that goes is told by `state`. */
  start(): void {
    this.#running ??= this.#run().catch((thrown: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#state.set({ kind: "failed", cause: asXrtcError(thrown) });
    });
  }

  /** Ends the server and gives its port back. */
  async close(): Promise<void> {
    this.#closing.abort(new XrtcError("XRTC_CLOSED", "the server node is closing"));
    await this.#running;
    await this.#server?.close();
    this.#server = undefined;
    this.#state.set({ kind: "absent" });
  }

  async #run(): Promise<void> {
    const { clock, portFree } = this.#options;
    const { signal } = this.#closing;
    await portFree();
    while (!signal.aborted) {
      try {
        await this.#listen();
        return;
      } catch (thrown) {
        if (!isXrtcError(thrown, "XRTC_SERVER_ADDRESS")) throw thrown;
        // Whoever has the port may leave; the runtime that this one replaces, for instance.
        this.#state.set({ kind: "failed", cause: thrown, retryInMs: PORT_RETRY_MS });
        await sleep(clock, PORT_RETRY_MS, signal);
      }
    }
  }

  async #listen(): Promise<void> {
    const { settings, credentials, log } = this.#options;
    const server = new XrtcServer({
      log,
      port: settings.port,
      preset: settings.preset,
      accounts: [{ accountId: credentials.accountId, apiKeys: [credentials.apiKey] }],
    });
    const url = await server.listen();
    this.#server = server;
    this.#state.set({
      kind: "listening",
      url,
      limits: server.limits,
      credentials,
      stats: () => server.stats,
    });
  }
}
