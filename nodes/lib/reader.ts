import {
  type ClientStatus,
  type Clock,
  type Gap,
  type Subscription,
  type XrtcClient,
  XrtcError,
} from "../../src/index.js";
import type { Connection, ConnectionState } from "./connection.js";
import { asXrtcError } from "./errors.js";
import { Feed } from "./feed.js";
import { HeldNews, type News } from "./held-news.js";
import { worstOf } from "./worst-status.js";

/** What is to be read together. */
export interface Reading {
  readonly portals: readonly string[];
  /** Tells one reading of a node from another, where it has several. */
  readonly key: string;
  readonly onGap: (gap: Gap) => void;
}

export interface ReaderOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** Those that are read from the beginning. */
  readonly portals: readonly string[];
  /** Whether portals come and go: each is read by itself then, so that one does not disturb the others. */
  readonly isDynamic: boolean;
  /** Age in ms above which items that waited during a pause are left out; -1 for no limit. */
  readonly cutoffMs: number;
  readonly subscribe: (client: XrtcClient, reading: Reading) => Subscription;
  readonly onNews: (news: News) => void;
  /** Hears that something came: it was told, or waits because the reader is paused. */
  readonly onCount: () => void;
  /** Hears how the reading stands; `refused` also when it ended although nobody ended it. */
  readonly onStatus: (status: ClientStatus) => void;
}

/** Reads a set of portals on whatever client a connection has, one after another when the client changes. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #portals: Set<string>;
  readonly #feeds = new Map<string, Feed>();
  readonly #statuses = new Map<string, ClientStatus>();
  readonly #unsubscribe: (() => void)[] = [];
  /** What came while nobody wants to hear of it; undefined while somebody does. */
  #held: HeldNews | undefined;
  #passed = 0;
  #client: XrtcClient | undefined;
  /** Whether all that read before on another client has come to its end. */
  #isOpen = false;
  /** Why nothing is read, if that is so. */
  #problem: XrtcError | undefined;
  /** Ends when all that was begun so far has ended: a successor waits for it, so that two never read at once. */
  #done: Promise<void> = Promise.resolve();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#portals = new Set(options.portals);
  }

  /** The portals that are read, or are to be as soon as there is a client. */
  get portals(): string[] {
    return [...this.#portals];
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** Items and gaps that wait because the reader is paused. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  /** Items that were told. */
  get passed(): number {
    return this.#passed;
  }

  /** Begins to read, now or as soon as there is a client. */
  start(): void {
    const { connection } = this.#options;
    this.#unsubscribe.push(
      connection.state.subscribe((state) => this.#follow(state)),
      // While there is something to read, the upstream has more to say.
      connection.status.subscribe(() => this.#report()),
    );
  }

  /**
   * Reads these portals, too. Those that are read already stay as they are.
   *
   * @throws XrtcError XRTC_OPTIONS when the service allows no more; then none is added
   */
  add(portals: readonly string[]): void {
    const all = new Set([...this.#portals, ...portals]);
    const problem = this.#client && tooMany(all.size, this.#client);
    if (problem !== undefined) throw problem;
    for (const portal of portals) this.#portals.add(portal);
    this.#adjust();
  }

  /** Reads these portals no more; what waits of them is given up. */
  remove(portals: readonly string[]): void {
    for (const portal of portals) {
      this.#portals.delete(portal);
      this.#held?.drop(portal);
    }
    this.#adjust();
  }

  /** Goes on reading and keeps what comes, up to a bound. */
  pause(): void {
    this.#held ??= new HeldNews();
  }

  /** Tells what has come since the pause and is not too old by now, oldest first, and then what comes. */
  resume(): void {
    const { clock, cutoffMs } = this.#options;
    const news = this.#held?.release(clock.now(), cutoffMs) ?? [];
    this.#held = undefined;
    for (const each of news) this.#pass(each);
    this.#options.onCount();
  }

  /** Ends the reading. With `forget` its places are not kept for subscriptions of the same names. */
  async close({ forget }: { readonly forget: boolean }): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#client = undefined;
    this.#isOpen = false;
    this.#endAll(forget);
    await this.#done;
  }

  #follow(state: ConnectionState): void {
    // Our own close comes with it, and knows whether the places are to be kept.
    if (state.kind === "closed") return;
    const client = state.kind === "ready" ? state.client : undefined;
    if (client === this.#client) return;
    this.#client = client;
    this.#isOpen = false;
    this.#endAll(true);
    this.#done = this.#done.then(() => this.#open(client));
  }

  #open(client: XrtcClient | undefined): void {
    if (client === undefined || client !== this.#client) return;
    this.#isOpen = true;
    this.#adjust();
  }

  /** Reads what is to be read and nothing else. */
  #adjust(): void {
    const client = this.#client;
    if (client === undefined || !this.#isOpen) return;
    this.#problem = tooMany(this.#portals.size, client);
    const wanted = this.#problem === undefined ? this.#readings() : new Map<string, string[]>();
    for (const key of [...this.#feeds.keys()]) if (!wanted.has(key)) this.#end(key, true);
    for (const [key, portals] of wanted) {
      if (!this.#feeds.has(key)) this.#begin(client, key, portals);
    }
    this.#report();
  }

  #readings(): Map<string, string[]> {
    const { portals } = this;
    if (this.#options.isDynamic) return new Map(portals.map((portal) => [portal, [portal]]));
    return new Map([["", portals]]);
  }

  #begin(client: XrtcClient, key: string, portals: string[]): void {
    const onGap = (gap: Gap): void => this.#tell({ kind: "gap", gap });
    try {
      const subscription = this.#options.subscribe(client, { portals, key, onGap });
      const feed = new Feed(subscription, {
        onItem: (item) => this.#tell({ kind: "item", item, serverNow: this.#serverNow(client) }),
        onStatus: (status) => {
          this.#statuses.set(key, status);
          this.#report();
        },
      });
      this.#feeds.set(key, feed);
    } catch (thrown) {
      this.#problem = asXrtcError(thrown);
    }
  }

  #end(key: string, forget: boolean): void {
    const feed = this.#feeds.get(key);
    if (feed === undefined) return;
    this.#feeds.delete(key);
    this.#statuses.delete(key);
    this.#done = Promise.all([this.#done, feed.close(forget)]).then(() => undefined);
  }

  #endAll(forget: boolean): void {
    for (const key of [...this.#feeds.keys()]) this.#end(key, forget);
  }

  #tell(news: News): void {
    if (this.#held === undefined) this.#pass(news);
    else this.#held.push(news, this.#options.clock.now());
    this.#options.onCount();
  }

  #pass(news: News): void {
    if (news.kind === "item") this.#passed += 1;
    this.#options.onNews(news);
  }

  #serverNow({ clockOffsetMs }: XrtcClient): number | undefined {
    return clockOffsetMs === undefined ? undefined : this.#options.clock.wallNow() + clockOffsetMs;
  }

  #report(): void {
    const { connection, onStatus } = this.#options;
    const client = this.#client;
    if (client !== undefined && this.#problem !== undefined) {
      return onStatus({ kind: "refused", cause: this.#problem, retryInMs: Infinity });
    }
    const whole = worstOf(this.#statuses.values());
    if (whole !== undefined) onStatus(whole);
    // That others are connected does not mean that what is about to be read is read already.
    else if (client === undefined || this.#portals.size === 0) onStatus(connection.status.value);
  }
}

function tooMany(count: number, { limits }: XrtcClient): XrtcError | undefined {
  const { portalsMax } = limits;
  if (count <= portalsMax) return undefined;
  return new XrtcError("XRTC_OPTIONS", `${count} portals are too many: ${portalsMax} are allowed`);
}
