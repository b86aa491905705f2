import type { Gap, Item } from "../../src/index.js";

/** Items and gaps that wait while a node is paused, at most. */
export const HELD_MAX = 1_000;

/** What a reader has for its node, in the order in which it came. */
export type News =
  | {
      readonly kind: "item";
      readonly item: Item;
      /** The server's clock when it came, in UNIX ms; undefined while that is not known. */
      readonly serverNow: number | undefined;
    }
  | { readonly kind: "gap"; readonly gap: Gap };

interface Waiting {
  readonly news: News;
  /** When it came, in monotonic ms. */
  readonly at: number;
}

/** What came while a node is paused: the newest of it, and how much of the older had to go. */
export class HeldNews {
  readonly #countMax: number;
  readonly #waiting: Waiting[] = [];
  /** How many items of each portal had to go; undefined where more than these are missing. */
  readonly #missed = new Map<string, number | undefined>();

  /** @param countMax - news that may wait. @defaultValue {@link HELD_MAX} */
  constructor(countMax = HELD_MAX) {
    this.#countMax = countMax;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** @param at - when it came, in monotonic ms */
  push(news: News, at: number): void {
    this.#waiting.push({ news, at });
    if (this.#waiting.length <= this.#countMax) return;
    const oldest = this.#waiting.shift()?.news;
    if (oldest?.kind === "item") this.#miss(oldest.item.portalId, 1);
    else if (oldest !== undefined) this.#miss(oldest.gap.portalId, oldest.gap.missing);
  }

  /** Gives up what waits of a portal. */
  drop(portalId: string): void {
    this.#missed.delete(portalId);
    const rest = this.#waiting.filter(
      ({ news }) => (news.kind === "item" ? news.item : news.gap).portalId !== portalId,
    );
    this.#waiting.splice(0, Infinity, ...rest);
  }

  /**
   * All that waits, after the news of what had to go; nothing waits from then on. Items that have become older than
   * the cutoff meanwhile are left out, as they would be if they came now.
   *
   * @param now - monotonic ms
   * @param cutoffMs - ms, -1 for no limit
   */
  release(now: number, cutoffMs: number): News[] {
    const gaps = [...this.#missed].map(([portalId, missing]): News => {
      const counted = missing === undefined ? {} : { missing };
      return { kind: "gap", gap: { portalId, reason: "queue", ...counted } };
    });
    this.#missed.clear();
    const waiting = this.#waiting
      .splice(0)
      .filter((each) => cutoffMs < 0 || ageMs(each, now) <= cutoffMs);
    return [...gaps, ...waiting.map(({ news }) => news)];
  }

  #miss(portalId: string, count: number | undefined): void {
    const before = this.#missed.has(portalId) ? this.#missed.get(portalId) : 0;
    const isCounted = before !== undefined && count !== undefined;
    this.#missed.set(portalId, isCounted ? before + count : undefined);
  }
}

/** How old an item is by now; what is no item has no age. */
function ageMs({ news, at }: Waiting, now: number): number {
  if (news.kind === "gap") return 0;
  const { item, serverNow = item.serverTimestamp } = news;
  return serverNow - item.serverTimestamp + (now - at);
}
