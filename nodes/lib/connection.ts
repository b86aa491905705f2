import {
  asError,
  Broadcast,
  type ClientStatus,
  type Clock,
  type Observable,
  type XrtcClient,
  XrtcError,
} from "../../src/index.js";
import type { ClientRegistry } from "./client-registry.js";
import { asXrtcError } from "./errors.js";
import type { ServerState } from "./local-server.js";
import type { Lease } from "./pool.js";
import type { Target } from "./target.js";

/** Milliseconds that a message waits for a server of the same Node-RED to begin to listen. */
export const READY_MS_MAX = 10_000;

export type ConnectionState =
  /** The server that it points to does not listen yet. */
  | { readonly kind: "pending" }
  | { readonly kind: "ready"; readonly client: XrtcClient }
  | { readonly kind: "failed"; readonly cause: XrtcError }
  /** The config node closes; its users close at the same time, or are given another connection. */
  | { readonly kind: "closed" };

/** What a connection leads to: known at once, or told by a server of the same Node-RED. */
export type Destination =
  | { readonly kind: "fixed"; readonly target: () => Target }
  | {
      readonly kind: "server";
      readonly watch: (listener: (state: ServerState) => void) => () => void;
      /** Whether the deployed flows hold that server node, enabled. */
      readonly isDeployed: () => boolean;
      readonly target: (state: Extract<ServerState, { kind: "listening" }>) => Target;
    };

export interface ConnectionOptions {
  readonly destination: Destination;
  readonly clients: ClientRegistry;
  readonly clock: Clock;
  /** Name of the config node. */
  readonly owner: string;
  /** Takes the client that is there, whatever its limits: for somebody who only looks. @defaultValue false */
  readonly asItIs?: boolean;
}

/**
 * What a config node gives its users: the client of the service that it means, now or as soon as that service is
 * known, and another one when the service moves. Nothing happens before somebody asks, and nothing is kept when the last
 * one has left: a config node outlives the nodes that use it.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #state = new Broadcast<ConnectionState>({ kind: "pending" });
  readonly #status = new Broadcast<ClientStatus>({ kind: "idle" });
  /** The same as its users see them, who are counted. */
  readonly #states = this.#counted(this.#state);
  readonly #statuses = this.#counted(this.#status);
  #lease: Lease<XrtcClient> | undefined;
  #unverified = false;
  /** End what the connection listens to. */
  #unwatch: (() => void) | undefined;
  #unfollow: (() => void) | undefined;
  #unretry: (() => void) | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): Observable<ConnectionState> {
    this.#start();
    return this.#states;
  }

  /** How the connection stands, as a status that a badge can show. */
  get status(): Observable<ClientStatus> {
    this.#start();
    return this.#statuses;
  }

  /** Whether it accepts any certificate, because its tls-config says so. */
  get isUnverified(): boolean {
    return this.#unverified;
  }

  /**
   * The client, as soon as there is one.
   *
   * @throws XrtcError the reason why there is none; XRTC_TIMEOUT when there is none within {@link READY_MS_MAX}; the
   * signal's reason
   */
  client(signal: AbortSignal): Promise<XrtcClient> {
    const now = this.state.value;
    if (now.kind === "ready" && !signal.aborted) return Promise.resolve(now.client);
    return new Promise((resolve, reject) => {
      let settled = false;
      let unsubscribe = nothing;
      const settle = (act: () => void): void => {
        settled = true;
        cancel();
        signal.removeEventListener("abort", onAbort);
        unsubscribe();
        act();
      };
      const onAbort = (): void => settle(() => reject(asError(signal.reason)));
      const cancel = this.#options.clock.schedule(READY_MS_MAX, () =>
        settle(() => reject(notListening())),
      );
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) return onAbort();
      unsubscribe = this.state.subscribe((state) => {
        if (settled) return;
        if (state.kind === "ready") settle(() => resolve(state.client));
        else if (state.kind === "failed") settle(() => reject(state.cause));
        else if (state.kind === "closed") settle(() => reject(closing()));
      });
      // The first call back came before there was anything to end.
      if (settled) unsubscribe();
    });
  }

  /** Lets the client go; others may still use it. */
  close(): void {
    this.#closed = true;
    this.#unwatch?.();
    this.#detach();
    this.#state.set({ kind: "closed" });
    this.#status.set({ kind: "closed" });
  }

  #counted<T>(broadcast: Broadcast<T>): Observable<T> {
    return {
      get value() {
        return broadcast.value;
      },
      subscribe: (listener) => {
        this.#start();
        const unsubscribe = broadcast.subscribe(listener);
        return () => {
          unsubscribe();
          if (this.#state.listenerCount + this.#status.listenerCount === 0) this.#rest();
        };
      },
    };
  }

  /** Back to how it was before somebody asked. */
  #rest(): void {
    if (this.#closed) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#detach();
    this.#state.set({ kind: "pending" });
    this.#status.set({ kind: "idle" });
  }

  #start(): void {
    if (this.#closed || this.#unwatch !== undefined) return;
    this.#unwatch = nothing;
    const { destination } = this.#options;
    if (destination.kind === "fixed") this.#attach(destination.target);
    else {
      this.#unwatch = destination.watch((state) => this.#follow(destination, state));
    }
  }

  #follow(destination: Extract<Destination, { kind: "server" }>, state: ServerState): void {
    switch (state.kind) {
      case "listening":
        return this.#attach(() => destination.target(state));
      case "failed":
        return this.#refuse(state.cause, state.retryInMs);
      case "starting":
        return this.#pend();
      case "absent":
        return destination.isDeployed() ? this.#pend() : this.#refuse(missing());
      default:
        return state satisfies never;
    }
  }

  #pend(): void {
    this.#detach();
    this.#state.set({ kind: "pending" });
    this.#status.set({ kind: "connecting" });
  }

  #refuse(cause: XrtcError, retryInMs = Infinity): void {
    this.#detach();
    this.#state.set({ kind: "failed", cause });
    this.#status.set({ kind: "refused", cause, retryInMs });
  }

  #attach(resolve: () => Target): void {
    let target: Target;
    try {
      target = resolve();
    } catch (thrown) {
      // It takes a deploy to change that, and a deploy brings another connection.
      return this.#refuse(asXrtcError(thrown));
    }
    this.#acquire(target);
  }

  #acquire(target: Target): void {
    const { clients, owner, asItIs = false } = this.#options;
    const old = this.#lease;
    try {
      this.#lease = clients.acquire(target, owner, { asItIs });
    } catch (thrown) {
      this.#refuse(asXrtcError(thrown));
      // Another config node may be in the way, and may go.
      return this.#acquireWhenFreed(target);
    }
    // Only now, so that the same client is never without a user in between.
    old?.release();
    this.#unfollow?.();
    const client = this.#lease.value;
    this.#unverified = target.network?.tls?.rejectUnauthorized === false;
    this.#state.set({ kind: "ready", client });
    this.#unfollow = client.status.subscribe((status) => this.#status.set(status));
  }

  #acquireWhenFreed(target: Target): void {
    let first = true;
    this.#unretry = this.#options.clients.freed.subscribe(() => {
      if (first) {
        first = false;
        return;
      }
      this.#unretry?.();
      this.#unretry = undefined;
      this.#acquire(target);
    });
  }

  #detach(): void {
    this.#unretry?.();
    this.#unretry = undefined;
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#lease?.release();
    this.#lease = undefined;
  }
}

const nothing = (): void => undefined;

const missing = (): XrtcError =>
  new XrtcError(
    "XRTC_SERVER_MISSING",
    "the xrtc-server node that the config node names is not deployed, or is disabled",
  );

const closing = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "the config node is closing", { outcome: "fail" });

const notListening = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "the xrtc-server node does not listen yet", {
    retryable: true,
    outcome: "fail",
  });
