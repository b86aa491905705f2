import type { Engine, EngineReader, PortalPage, PortalQuery } from "../../engine/engine.js";
import type { MaybeAsync } from "../../../primitives/maybe-async.js";
import type { StoredItem } from "../../engine/stored-item.js";
import type { AccountFeeds } from "./account-feeds.js";
import type { ItemReader } from "./item-reader.js";
import { accountBase } from "./keys.js";

/** Portals in Redis, the newest items of those that are waited for in this process too. */
export class RedisEngine implements Engine {
  readonly #prefix: string;
  readonly #feeds: AccountFeeds;
  readonly #items: ItemReader;

  constructor(prefix: string, feeds: AccountFeeds, items: ItemReader) {
    this.#prefix = prefix;
    this.#feeds = feeds;
    this.#items = items;
  }

  read(accountId: string, queries: readonly PortalQuery[]): MaybeAsync<readonly PortalPage[]> {
    const feed = this.#feeds.of(accountId);
    return feed.pages(queries) ?? this.#readInRedis(accountId, queries);
  }

  latest(accountId: string): Promise<readonly StoredItem[]> {
    return this.#items.latest(accountBase(this.#prefix, accountId));
  }

  subscribe(accountId: string, portalIds: readonly string[], reader: EngineReader): () => void {
    return this.#feeds.of(accountId).subscribe(portalIds, reader);
  }

  async #readInRedis(
    accountId: string,
    queries: readonly PortalQuery[],
  ): Promise<readonly PortalPage[]> {
    const pages = await this.#items.read(accountBase(this.#prefix, accountId), queries);
    this.#feeds.of(accountId).learn(pages);
    return pages;
  }
}
