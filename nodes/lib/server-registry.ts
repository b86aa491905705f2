import { Broadcast, type Clock, XrtcError } from "../../src/index.js";
import type { Log } from "../../src/server/index.js";
import type { Credentials, SavedCredentials } from "./credentials.js";
import { randomCredentials, serverCredentialsOf } from "./credentials.js";
import type { ServerState } from "./local-server.js";
import { LocalServer } from "./local-server.js";
import type { Mount } from "./mount.js";
import type { Lease } from "./pool.js";
import { Pool } from "./pool.js";
import { fingerprintOf, samePlace, type ServerPlan } from "./server-plan.js";

/** Milliseconds that a server outlives its node: a redeploy finds it, its sessions and its items again. */
export const SERVER_HOLD_MS = 10_000;

export interface ServerRegistryOptions {
  readonly clock: Clock;
  /** Source of credentials that are made up. */
  readonly randomBytes: (size: number) => Buffer;
  readonly onError: (thrown: unknown) => void;
  /** Takes what the servers have to tell. */
  readonly log: Log;
}

/** The server that a node wants. */
export interface ServerWish {
  readonly plan: ServerPlan;
  /** What Node-RED keeps of its account and key. */
  readonly saved: SavedCredentials | undefined;
  readonly mount: Mount;
}

interface Entry {
  readonly nodeId: string;
  readonly server: LocalServer;
  readonly unsubscribe: () => void;
}

/** The local servers of the xrtc-server nodes of this process, found by the id of their node. */
export class ServerRegistry {
  readonly #options: ServerRegistryOptions;
  readonly #pool: Pool<Entry>;
  readonly #states = new Map<string, Broadcast<ServerState>>();
  /** Credentials made up for nodes that have none: the same for the life of the process. */
  readonly #spare = new Map<string, Credentials>();

  constructor(options: ServerRegistryOptions) {
    this.#options = options;
    this.#pool = new Pool({
      clock: options.clock,
      onError: options.onError,
      holdMs: SERVER_HOLD_MS,
      dispose: (entry) => this.#dispose(entry),
    });
  }

  get size(): number {
    return this.#pool.size;
  }

  /**
   * The server of a node: the running one when neither settings nor credentials changed, else a new one, which
   * listens when the old one has closed.
   *
   * @throws XrtcError XRTC_CREDENTIALS_MISSING when only half of them are set
   */
  acquire(nodeId: string, { plan, saved, mount }: ServerWish): Lease<LocalServer> {
    const credentials = serverCredentialsOf(saved, () => this.#spareOf(nodeId));
    // Another node's server that is only held gives way to one that is wanted now.
    this.#pool.endHeld((key, { server }) => key !== nodeId && samePlace(server.place, plan.place));
    const { value, release } = this.#pool.acquire(nodeId, {
      fingerprint: fingerprintOf(plan, credentials),
      owner: nodeId,
      create: () => this.#create(nodeId, { plan, mount }, credentials),
      conflict: () =>
        new XrtcError("XRTC_SERVER_ADDRESS", "an earlier server of this node still runs"),
    });
    return { value: value.server, release };
  }

  /** Tells watchers of a node that its server cannot run, and why; undefined when the node is gone. */
  report(nodeId: string, cause: XrtcError | undefined): void {
    this.#set(nodeId, cause === undefined ? { kind: "absent" } : { kind: "failed", cause });
  }

  /**
   * Calls back at once with the state of a node's server, then with each new one.
   *
   * @returns a function that ends this
   */
  watch(nodeId: string, listener: (state: ServerState) => void): () => void {
    const state = this.#stateOf(nodeId);
    const unsubscribe = state.subscribe(listener);
    return () => {
      unsubscribe();
      this.#tidy(nodeId, state);
    };
  }

  /** Ends the servers that no node runs: all of them, or that of one node. */
  endHeld(nodeId?: string): void {
    this.#pool.endHeld((key) => nodeId === undefined || key === nodeId);
  }

  /** Resolves when every server that was ended by now has let its port go. */
  settled(): Promise<void> {
    return this.#pool.settled();
  }

  #create(
    nodeId: string,
    { plan, mount }: Pick<ServerWish, "plan" | "mount">,
    credentials: Credentials,
  ): Entry {
    const { clock, log } = this.#options;
    const portFree = (): Promise<void> => this.#pool.settled();
    const server = new LocalServer({ plan, credentials, clock, mount, portFree, log });
    server.start();
    const unsubscribe = server.state.subscribe((state) => this.#set(nodeId, state));
    return { nodeId, server, unsubscribe };
  }

  async #dispose({ nodeId, server, unsubscribe }: Entry): Promise<void> {
    unsubscribe();
    this.#set(nodeId, { kind: "absent" });
    await server.close();
  }

  #spareOf(nodeId: string): Credentials {
    const known = this.#spare.get(nodeId) ?? randomCredentials(this.#options.randomBytes);
    this.#spare.set(nodeId, known);
    return known;
  }

  #stateOf(nodeId: string): Broadcast<ServerState> {
    const state = this.#states.get(nodeId) ?? new Broadcast<ServerState>({ kind: "absent" });
    this.#states.set(nodeId, state);
    return state;
  }

  #set(nodeId: string, value: ServerState): void {
    const state = this.#stateOf(nodeId);
    state.set(value);
    this.#tidy(nodeId, state);
  }

  /** A state that says nothing to nobody need not be kept. */
  #tidy(nodeId: string, state: Broadcast<ServerState>): void {
    if (state.value.kind !== "absent" || state.listenerCount > 0) return;
    this.#states.delete(nodeId);
  }
}
