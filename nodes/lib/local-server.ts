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
import { isLoopbackHost } from "../contract/server.js";
import type { Credentials } from "./credentials.js";
import { asXrtcError } from "./errors.js";
import type { Mount, RequestHandler } from "./mount.js";
import { optionsOf, type ServerPlace, type ServerPlan } from "./server-plan.js";

/** Milliseconds between two attempts to get the port: nobody else waits for it, so the pace need not vary. */
export const PORT_RETRY_MS = 2_000;
/** Milliseconds between two attempts to reach Redis, each of which takes a while itself. */
export const ENGINE_RETRY_MS = 3_000;

export type ServerState =
  /** No node runs it: none is deployed, or its time has not come yet. */
  | { readonly kind: "absent" }
  | { readonly kind: "starting" }
  | {
      readonly kind: "listening";
      /** Base URL for clients in this process. */
      readonly url: string;
      /** Where others find it: a host and its port, or a path of Node-RED's own web server. */
      readonly place: string;
      readonly limits: Limits;
      readonly credentials: Credentials;
      /** Counts since its start, and what is there now. */
      readonly stats: () => ServerStats;
      /** Why it cannot serve just now; undefined while it can. */
      readonly trouble: () => string | undefined;
      /** Calls back once, with the next request that comes. @returns a function that ends this */
      readonly onNextRequest: (callback: () => void) => () => void;
      /** Whether what it keeps is elsewhere, and may be out of reach. */
      readonly isRemote: boolean;
    }
  /** It could not listen and tries again, or, without `retryInMs`, it cannot at all. */
  | { readonly kind: "failed"; readonly cause: XrtcError; readonly retryInMs?: number };

export interface LocalServerOptions {
  readonly plan: ServerPlan;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** Takes requests below a path of Node-RED's own web server. */
  readonly mount: Mount;
  /** Resolves when what may still hold the port or the path has let it go. */
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
  /** Of the latest attempt, for what comes in below the path. */
  #handle: RequestHandler | undefined;
  #unmount: (() => void) | undefined;

  constructor(options: LocalServerOptions) {
    this.#options = options;
  }

  get state(): Observable<ServerState> {
    return this.#state;
  }

  get place(): ServerPlace {
    return this.#options.plan.place;
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
    // Until here it answers that it is closing.
    this.#unmount?.();
    this.#unmount = undefined;
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
        const retryInMs = retryMsOf(thrown);
        if (retryInMs === undefined) throw thrown;
        this.#state.set({ kind: "failed", cause: asXrtcError(thrown), retryInMs });
        await sleep(clock, retryInMs, signal);
      }
    }
  }

  async #listen(): Promise<void> {
    const { plan, credentials, log } = this.#options;
    const server = new XrtcServer({ ...optionsOf(plan, credentials), log });
    try {
      const { url, place } = await this.#serve(server);
      this.#server = server;
      this.#state.set({
        kind: "listening",
        url,
        place,
        limits: server.limits,
        credentials,
        stats: () => server.stats,
        trouble: () => server.trouble,
        onNextRequest: (callback) => server.onNextRequest(callback),
        isRemote: plan.redis !== undefined,
      });
    } catch (thrown) {
      await server.close();
      throw thrown;
    }
  }

  async #serve(server: XrtcServer): Promise<{ readonly url: string; readonly place: string }> {
    const { plan, mount } = this.#options;
    if (plan.place.kind === "port") {
      const url = await server.listen();
      const place = new URL(url);
      // As it was asked for: an address for all addresses is one to nobody else.
      place.hostname = hostInUrl(plan.place.host);
      return { url: await this.#urlForNodes(server, url), place: place.host };
    }
    const { path, prefix } = plan.place;
    this.#unmount ??= mount(path, (request, response) => this.#handle?.(request, response));
    this.#handle = server.handler();
    // The nodes of this Node-RED take no way around: a login in front of it, or its certificate, may be in it.
    return { url: await server.listenLocally(), place: prefix };
  }

  /** Where a client in this process needs neither a name that a certificate has, nor leave for plain HTTP. */
  async #urlForNodes(server: XrtcServer, url: string): Promise<string> {
    const { protocol, hostname } = new URL(url);
    return protocol === "http:" && isLoopbackHost(hostname) ? url : server.listenLocally();
  }
}

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** How long to wait before the next attempt; undefined when none will help. */
function retryMsOf(thrown: unknown): number | undefined {
  // Whoever has the port may leave; the runtime that this one replaces, for instance.
  if (isXrtcError(thrown, "XRTC_SERVER_ADDRESS")) return PORT_RETRY_MS;
  // Redis may come back; its client is installed by a person, who starts Node-RED anew.
  const isAway = isXrtcError(thrown, "XRTC_ENGINE_UNAVAILABLE") && thrown.retryable;
  return isAway ? ENGINE_RETRY_MS : undefined;
}
