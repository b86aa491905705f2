import type { ClientStatus, Item, Subscription, XrtcClient } from "../../src/index.js";
import type { Connection, ConnectionState } from "./connection.js";
import { asXrtcError } from "./errors.js";

export interface ReaderOptions {
  readonly connection: Connection;
  readonly subscribe: (client: XrtcClient) => Subscription;
  readonly onItem: (item: Item) => void;
  /** Hears how the reading stands; `refused` also when it ended although nobody ended it. */
  readonly onStatus: (status: ClientStatus) => void;
}

/** Keeps one subscription open on whatever client a connection has, one after another when the client changes. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #unsubscribe: (() => void)[] = [];
  #client: XrtcClient | undefined;
  #subscription: Subscription | undefined;
  /** Ends when all that was begun so far has ended: a successor waits for it, so that two never read at once. */
  #done: Promise<void> = Promise.resolve();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Begins to read, now or as soon as there is a client. */
  start(): void {
    const { connection, onStatus } = this.#options;
    this.#unsubscribe.push(
      connection.state.subscribe((state) => this.#follow(state)),
      // While there is a client, the subscription's upstream has more to say.
      connection.status.subscribe((status) => {
        if (this.#client === undefined) onStatus(status);
      }),
    );
  }

  /** Ends the reading. With `forget` its place is not kept for a subscription of the same name. */
  async close({ forget }: { readonly forget: boolean }): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#client = undefined;
    await this.#end(forget);
    await this.#done;
  }

  #follow(state: ConnectionState): void {
    // Our own close comes with it, and knows whether the place is to be kept.
    if (state.kind === "closed") return;
    const client = state.kind === "ready" ? state.client : undefined;
    if (client === this.#client) return;
    this.#client = client;
    const before = this.#done;
    this.#done = Promise.all([before, this.#end(true)]).then(() => this.#read(client));
  }

  async #end(forget: boolean): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    await subscription?.close({ forget });
  }

  /** Reads until the subscription is ended. Never rejects: what goes wrong is a status. */
  async #read(client: XrtcClient | undefined): Promise<void> {
    const { subscribe, onItem, onStatus } = this.#options;
    if (client === undefined || client !== this.#client) return;
    let unsubscribe: (() => void) | undefined;
    try {
      const subscription = subscribe(client);
      this.#subscription = subscription;
      unsubscribe = subscription.status.subscribe((status) => {
        if (this.#subscription === subscription) onStatus(status);
      });
      for await (const item of subscription) onItem(item);
    } catch (thrown) {
      if (client !== this.#client) return;
      onStatus({ kind: "refused", cause: asXrtcError(thrown), retryInMs: Infinity });
    } finally {
      unsubscribe?.();
    }
  }
}
