import type { Clock } from "../primitives/clock.js";
import { abortable } from "../primitives/deadline.js";
import type { Signal } from "../primitives/signal.js";

/** Portals that a request reads. Giving them back twice is harmless. */
export interface Lease {
  readonly taken: ReadonlySet<string>;
  /** The request is over. */
  release(): void;
  /** The request was given up: the service may go on answering it for a while, into the void. */
  abandon(): void;
}

export interface LeasesOptions {
  readonly clock: Clock;
  /** Milliseconds that a get of the service stays open. */
  readonly getTimeoutMs: number;
}

interface Holding {
  /** Whether it lasts for as long as a caller takes to read what comes: nobody is to wait for that. */
  readonly isCallers: boolean;
  readonly waiting: (() => void)[];
}

/** Milliseconds beyond the get timeout that a request which was given up may be answered. */
const DANGLING_MARGIN_MS = 1_000;

/**
 * Which portals an open request reads. Two requests for one portal would take items from each other: the position is
 * the session's, not the request's.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #held = new Map<string, Holding>();
  /** Until when (monotonic ms) a request that was given up may still take a portal's items. */
  readonly #dangling = new Map<string, number>();

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  isHeld(portalId: string): boolean {
    return this.#held.has(portalId);
  }

  /** Whether the portal is held until a caller has read what comes: that may be for ever. */
  isHeldByCaller(portalId: string): boolean {
    return this.#held.get(portalId)?.isCallers === true;
  }

  /** Whether a request that was sent at that moment (monotonic ms) may have shared the portal with one given up. */
  wasShared(portalId: string, sentAt: number): boolean {
    return sentAt < (this.#dangling.get(portalId) ?? 0);
  }

  /** Takes those that are free. */
  take(portalIds: readonly string[], { isCallers = false } = {}): Lease {
    const taken = new Set(portalIds.filter((portalId) => !this.#held.has(portalId)));
    for (const portalId of taken) this.#held.set(portalId, { isCallers, waiting: [] });
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const portalId of taken) this.#free(portalId);
    };
    const abandon = (): void => {
      if (!released) this.#leaveDangling(taken);
      release();
    };
    return { taken, release, abandon };
  }

  /** Calls back once when the portal is given back, at once if it is free. */
  onceFree(portalId: string, callback: () => void): void {
    const holding = this.#held.get(portalId);
    if (holding === undefined) callback();
    else holding.waiting.push(callback);
  }

  /** Resolves when the portal is given back. Whoever comes first takes it again, so it has to be looked at again. */
  free(portalId: string, signal: Signal): Promise<void> {
    const freed = new Promise<void>((resolve) => this.onceFree(portalId, resolve));
    return abortable(freed, signal);
  }

  #leaveDangling(portalIds: ReadonlySet<string>): void {
    const { clock, getTimeoutMs } = this.#options;
    const now = clock.now();
    // Requests sent since are over by now, whatever they were.
    const past = now - 2 * getTimeoutMs;
    for (const [portalId, until] of this.#dangling) {
      if (until < past) this.#dangling.delete(portalId);
    }
    for (const portalId of portalIds) {
      this.#dangling.set(portalId, now + getTimeoutMs + DANGLING_MARGIN_MS);
    }
  }

  #free(portalId: string): void {
    const holding = this.#held.get(portalId);
    this.#held.delete(portalId);
    for (const callback of holding?.waiting ?? []) callback();
  }
}
