import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../primitives/clock.js";

export interface IdleWatchOptions {
  /** Milliseconds that a connection may go without a request. */
  readonly idleMsMax: number;
  /** Milliseconds between two looks. */
  readonly checkIntervalMs: number;
  readonly clock: Clock;
}

/**
 * Ends connections on which nothing is asked. node:http does so too, but any byte makes it wait anew, and there are
 * bytes that begin no request: empty lines would hold a connection for ever.
 */
export class IdleWatch {
  readonly #options: IdleWatchOptions;
  /** Since when each is idle; the one that is so longest comes first. */
  readonly #sinceMs = new Map<Socket, number>();
  #cancelCheck: Cancel | undefined;

  constructor(options: IdleWatchOptions) {
    this.#options = options;
  }

  idle(socket: Socket): void {
    const { clock, checkIntervalMs } = this.#options;
    this.#sinceMs.set(socket, clock.now());
    this.#cancelCheck ??= clock.schedule(checkIntervalMs, this.#check);
  }

  busy(socket: Socket): void {
    this.#sinceMs.delete(socket);
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
  }

  readonly #check = (): void => {
    const { clock, idleMsMax, checkIntervalMs } = this.#options;
    this.#cancelCheck = undefined;
    const before = clock.now() - idleMsMax;
    for (const [socket, sinceMs] of this.#sinceMs) {
      if (sinceMs > before) break;
      this.#sinceMs.delete(socket);
      socket.destroy();
    }
    if (this.#sinceMs.size > 0) this.#cancelCheck = clock.schedule(checkIntervalMs, this.#check);
  };
}
