import type { ClientStatus, Item, Subscription } from "../../src/index.js";
import { asXrtcError } from "./errors.js";

export interface FeedOptions {
  readonly onItem: (item: Item) => void;
  /** Hears how the reading stands; `refused` also when it ended although nobody ended it. */
  readonly onStatus: (status: ClientStatus) => void;
}

/** One subscription, read from its beginning to its close; after that nobody hears of it. */
export class Feed {
  readonly #subscription: Subscription;
  readonly #options: FeedOptions;
  readonly #done: Promise<void>;
  #closed = false;

  constructor(subscription: Subscription, options: FeedOptions) {
    this.#subscription = subscription;
    this.#options = options;
    this.#done = this.#read();
  }

  /** Resolves when the reading has ended. With `forget` its place is not kept for a subscription of the same name. */
  async close(forget: boolean): Promise<void> {
    this.#closed = true;
    await this.#subscription.close({ forget });
    await this.#done;
  }

  /** Never rejects: what goes wrong is a status. */
  async #read(): Promise<void> {
    const unsubscribe = this.#subscription.status.subscribe((status) => this.#report(status));
    try {
      for await (const item of this.#subscription) {
        if (!this.#closed) this.#options.onItem(item);
      }
    } catch (thrown) {
      this.#report({ kind: "refused", cause: asXrtcError(thrown), retryInMs: Infinity });
    } finally {
      unsubscribe();
    }
  }

  #report(status: ClientStatus): void {
    if (!this.#closed) this.#options.onStatus(status);
  }
}
