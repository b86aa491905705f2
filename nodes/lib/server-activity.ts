import type { Cancel, Clock } from "../../src/index.js";
import type { ServerState } from "./local-server.js";

/** Milliseconds between two looks at a server that has something to do. */
export const ACTIVE_MS = 1_000;
/** Milliseconds between two looks at one that has clients and nothing to do: they go without a word. */
export const RESTING_MS = 10_000;
/** Milliseconds between two looks at whether a Redis behind it is within reach. */
export const REMOTE_MS = 2_000;

type Listening = Extract<ServerState, { kind: "listening" }>;

/** What goes on in a server. */
export interface Activity {
  /** Sessions that are alive. */
  readonly clients: number;
  /** Items that were set in the last second. */
  readonly perSecond: number;
  /** Whether it has lost what it keeps its items in. */
  readonly isTroubled: boolean;
}

export interface ServerActivityOptions {
  readonly clock: Clock;
  /** Takes what was seen, with each look. */
  readonly onLook: (activity: Activity) => void;
}

/**
 * Looks at a server for as long as there is something to see: without clients and without requests no timer runs, but
 * for a server with its items in Redis.
 */
export class ServerActivity {
  readonly #server: Listening;
  readonly #options: ServerActivityOptions;
  #cancelTimer: Cancel | undefined;
  #cancelNews: (() => void) | undefined;
  #lookedAt: number;
  #itemsSet: number;
  #requests: number;

  constructor(server: Listening, options: ServerActivityOptions) {
    this.#server = server;
    this.#options = options;
    const { itemsSet, requests } = server.stats();
    this.#lookedAt = options.clock.now();
    this.#itemsSet = itemsSet;
    this.#requests = requests;
    this.#look();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelNews?.();
    this.#cancelTimer = undefined;
    this.#cancelNews = undefined;
  }

  #look(): void {
    this.close();
    const { clock, onLook } = this.#options;
    const { itemsSet, requests, sessions } = this.#server.stats();
    const now = clock.now();
    const elapsedMs = Math.max(1, now - this.#lookedAt);
    const perSecond = Math.round(((itemsSet - this.#itemsSet) * 1_000) / elapsedMs);
    const isBusy = requests !== this.#requests;
    this.#lookedAt = now;
    this.#itemsSet = itemsSet;
    this.#requests = requests;
    this.#lookAgain(isBusy || perSecond > 0, sessions > 0);
    onLook({ clients: sessions, perSecond, isTroubled: this.#server.trouble() !== undefined });
  }

  #lookAgain(isBusy: boolean, hasClients: boolean): void {
    if (isBusy) {
      this.#lookIn(ACTIVE_MS);
      return;
    }
    if (this.#server.isRemote) this.#lookIn(REMOTE_MS);
    else if (hasClients) this.#lookIn(RESTING_MS);
    this.#cancelNews = this.#server.onNextRequest(() => {
      // From here a second counts.
      this.#lookedAt = this.#options.clock.now();
      this.#cancelTimer?.();
      this.#lookIn(ACTIVE_MS);
    });
  }

  #lookIn(ms: number): void {
    this.#cancelTimer = this.#options.clock.schedule(ms, () => this.#look());
  }
}
