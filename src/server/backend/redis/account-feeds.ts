import { AccountFeed, type AccountFeedOptions } from "./account-feed.js";
import { accountBase } from "./keys.js";

type FeedOptions = Omit<AccountFeedOptions, "accountId" | "base">;

/** The accounts that this process has requests of under way. */
export class AccountFeeds {
  readonly #prefix: string;
  readonly #options: FeedOptions;
  readonly #feeds = new Map<string, AccountFeed>();

  constructor(prefix: string, options: FeedOptions) {
    this.#prefix = prefix;
    this.#options = options;
  }

  /** What is known of an account; from now on, if nothing was. */
  of(accountId: string): AccountFeed {
    const known = this.#feeds.get(accountId);
    if (known !== undefined) return known;
    const base = accountBase(this.#prefix, accountId);
    const feed = new AccountFeed({ ...this.#options, accountId, base });
    this.#feeds.set(accountId, feed);
    return feed;
  }

  /** A request of the account begins. */
  enter(accountId: string): AccountFeed {
    const feed = this.of(accountId);
    feed.requests += 1;
    return feed;
  }

  /** It is over: what is known of an account that nobody asks for is forgotten. */
  leave(accountId: string): void {
    const feed = this.#feeds.get(accountId);
    if (feed === undefined) return;
    feed.requests -= 1;
    if (feed.requests <= 0 && !feed.isListening) this.#feeds.delete(accountId);
  }
}
