import { asError } from "../../../errors.js";
import type { Cancel, Clock } from "../../../primitives/clock.js";
import type { AccountFeed } from "./account-feed.js";
import { type BellEntry, bellEntryOf } from "./bell-entry.js";
import type { Connection } from "./connection.js";
import { bellKey } from "./keys.js";
import { listOf, numberAt, textAt } from "./reply.js";

/** Milliseconds that one wait for the bells lasts; a Redis that hangs is noticed after it. */
export const BELL_WAIT_MS = 1_000;

/** Entries of one bell that are taken at a time. */
const ENTRIES_MAX = 256;

/** Milliseconds after which one asks again to be called out of a wait that had not begun yet. */
const UNBLOCK_AGAIN_MS = 2;

export interface BellReaderOptions {
  readonly clock: Clock;
  /** Of its own: Redis answers nothing else on it while it waits. */
  readonly waiting: Connection;
  /** Where the waiting one is called out of its wait from. */
  readonly commands: Connection;
  readonly onEntry: (feed: AccountFeed, entry: BellEntry) => void;
  readonly onFailure: (error: Error) => void;
}

/**
 * The one wait of this process for the bells of all accounts that somebody here waits for.
 *
 * Another wait follows when: a bell rang; the wait was over; it was called out because an account was added. A wait is
 * paced by Redis itself; after an error it goes on when the connection is ready again, which has its own backoff.
 */
export class BellReader {
  readonly #options: BellReaderOptions;
  readonly #feeds = new Map<string, AccountFeed>();
  #clientId: number | undefined;
  /** The bells that the wait under way is for. */
  #asked: ReadonlyMap<string, number> | undefined;
  #cancelUnblock: Cancel | undefined;
  #isClosed = false;

  constructor(options: BellReaderOptions) {
    this.#options = options;
  }

  /** Begins to listen for an account, or listens from elsewhere. */
  listen(feed: AccountFeed): void {
    this.#feeds.set(bellKey(feed.base), feed);
    if (this.#asked === undefined) this.#wait();
    else this.#unblock();
  }

  /** The connection is ready, as this client of Redis. */
  ready(clientId: number): void {
    this.#clientId = clientId;
    this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelUnblock?.();
    this.#feeds.clear();
  }

  #wait(): void {
    const { waiting } = this.#options;
    if (this.#isClosed || this.#asked !== undefined || !waiting.isReady) return;
    for (const [key, feed] of this.#feeds) if (!feed.isListening) this.#feeds.delete(key);
    if (this.#feeds.size === 0) return;
    const asked = new Map([...this.#feeds].map(([key, { heard }]) => [key, heard]));
    this.#asked = asked;
    const ids = [...asked.values()].map((heard) => `${heard}-0`);
    const args = ["BLOCK", BELL_WAIT_MS, "COUNT", ENTRIES_MAX, "STREAMS", ...asked.keys(), ...ids];
    waiting.call("XREAD", ...args).then(
      (reply) => this.#heard(reply),
      (error: unknown) => this.#failed(error),
    );
  }

  #heard(reply: unknown): void {
    this.#over();
    try {
      // Null when nothing came.
      if (reply !== null) for (const bell of listOf(reply)) this.#ring(bell);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#wait();
  }

  #ring(bell: unknown): void {
    const feed = this.#feeds.get(textAt(listOf(bell), 0));
    for (const entry of listOf(listOf(bell)[1])) {
      const read = bellEntryOf(entry);
      // One that was called back to an earlier place may hear the same again.
      if (feed !== undefined && read.number > feed.heard) this.#options.onEntry(feed, read);
    }
  }

  /** It goes on with the next life of the connection, from where it was; one that Redis refused, after a while. */
  #failed(error: unknown): void {
    this.#over();
    if (!this.#options.waiting.isReady) return;
    this.#options.onFailure(asError(error));
    this.#cancelUnblock = this.#options.clock.schedule(BELL_WAIT_MS, () => {
      this.#cancelUnblock = undefined;
      this.#wait();
    });
  }

  #over(): void {
    this.#asked = undefined;
    this.#cancelUnblock?.();
    this.#cancelUnblock = undefined;
  }

  /** Calls the wait under way back, unless it is for all bells that are listened for. */
  #unblock(): void {
    const asked = this.#asked;
    if (asked === undefined || this.#cancelUnblock !== undefined || this.#isClosed) return;
    const isComplete = [...this.#feeds].every(([key, feed]) => asked.get(key) === feed.heard);
    if (isComplete || this.#clientId === undefined) return;
    // What this asks for may overtake the wait itself: then it is asked again.
    const again = (): void => {
      this.#cancelUnblock = undefined;
      if (this.#asked === asked) this.#unblock();
    };
    this.#cancelUnblock = this.#options.clock.schedule(UNBLOCK_AGAIN_MS, again);
    // Where it cannot be asked the wait ends by itself.
    this.#options.commands.call("CLIENT", "UNBLOCK", this.#clientId).catch(() => undefined);
  }
}

/** What `CLIENT ID` answered. */
export const clientIdOf = (reply: unknown): number => numberAt([reply], 0);
