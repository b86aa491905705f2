/**
 * What one node has under way. A message waits here until its items are known and nothing holds it back, then in the
 * client until the service has answered: in order all the way, and each is answered or refused, also when the node
 * closes.
 */

import { setMaxListeners } from "node:events";
import {
  asError,
  type Cancel,
  type Clock,
  type NewItem,
  type SetItemsOptions,
  type SetResult,
  XrtcError,
} from "../../src/index.js";
import type { Connection } from "./connection.js";
import type { Hold } from "./look.js";
import { lifeLeftMs, type OutPolicy, replaces, setOptionsOf } from "./out-policy.js";

/** Milliseconds that a closing node waits for the answers to what it has sent: a deploy should not take longer. */
export const DRAIN_MS_MAX = 2_000;
/** Messages that one node has under way, whatever its policy: as many as a client lets wait. */
const MESSAGES_MAX = 10_000;

export interface OutboxOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly policy: OutPolicy;
  /** Whose messages they are: the id of the node. */
  readonly owner: string;
  /** Called when a message has come or gone. @defaultValue nobody */
  readonly onCount?: () => void;
}

class Entry {
  /** Undefined while it takes time to find out. */
  items: readonly NewItem[] | undefined;
  /** Whether it goes out although the node is paused. */
  isFlushed = false;
  /** Whether the client has it, and a newer one to replace it with. */
  isReplaced = false;
  resolve: (result: SetResult) => void = nothing;
  reject: (error: Error) => void = nothing;
  readonly answer = new Promise<SetResult>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  /** @param arrivedAt - monotonic ms */
  constructor(readonly arrivedAt: number) {}
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #setOptions: SetItemsOptions;
  /** Without an answer, in order. */
  readonly #entries = new Set<Entry>();
  /** Those of them that the client does not have yet. */
  readonly #waiting = new Set<Entry>();
  readonly #abort = new AbortController();
  /** Entries that are as good as gone. */
  #replacedCount = 0;
  #setCount = 0;
  #hold: Hold | undefined;
  #cancelExpiry: Cancel | undefined;
  #closing = false;

  constructor(options: OutboxOptions) {
    const { signal } = this.#abort;
    this.#options = options;
    this.#setOptions = { ...setOptionsOf(options.policy, options.owner), signal };
    // Every message under way listens to it; that is no leak.
    setMaxListeners(MESSAGES_MAX, signal);
  }

  /** Messages without an answer. */
  get count(): number {
    return this.#entries.size;
  }

  /** Messages that were set since the node was made. */
  get setCount(): number {
    return this.#setCount;
  }

  /**
   * Sets the items of a message, after those of all messages before it.
   *
   * @param itemsOf - finds the items out; it is not asked when there is no room for them
   * @param arrivedAt - when the message came (monotonic ms): what it lives counts from then on
   * @returns what became of them, when the service has answered
   * @throws XrtcError why it has not set them; XRTC_CLOSED once the node closes; what `itemsOf` throws
   */
  async submit(
    itemsOf: () => readonly NewItem[] | Promise<readonly NewItem[]>,
    arrivedAt = this.#options.clock.now(),
  ): Promise<SetResult> {
    if (this.#closing) throw closing();
    const { delivery, queueMax } = this.#options.policy;
    // Where a newer one replaces an older one, it shows only with its portal whether there is room.
    const max = delivery === "latest" ? MESSAGES_MAX : queueMax;
    if (this.#entries.size >= max) throw full(max);
    const items = itemsOf();
    const entry = new Entry(arrivedAt);
    this.#entries.add(entry);
    this.#waiting.add(entry);
    this.#options.onCount?.();
    if (items instanceof Promise) this.#follow(entry, items);
    else this.#ready(entry, items);
    return entry.answer;
  }

  /** Holds back what the client does not have yet, and what comes; undefined to let it go. */
  hold(hold: Hold | undefined): void {
    this.#hold = hold;
    this.#pump();
  }

  /**
   * Sends what waits, although the node is paused.
   *
   * @returns when every message that is under way now has been answered or refused
   * @throws XrtcError XRTC_CLOSED when the node was told to disconnect
   */
  async flush(): Promise<void> {
    if (this.#hold === "disconnected") throw disconnected();
    for (const entry of this.#waiting) entry.isFlushed = true;
    this.#pump();
    await this.#settled();
  }

  /** Logs in now. @throws XrtcError when that fails */
  async open(): Promise<void> {
    const { signal } = this.#abort;
    const client = await this.#options.connection.client(signal);
    await client.open({ signal });
  }

  /**
   * Takes no more, gives up what the client does not have, and waits for the answers that are due, at most
   * {@link DRAIN_MS_MAX}; then gives these up, too.
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelExpiry?.();
    for (const entry of this.#waiting) this.#refuse(entry, closing());
    const giveUp = (): void => this.#abort.abort(closing());
    const cancel = this.#options.clock.schedule(DRAIN_MS_MAX, giveUp);
    await this.#settled();
    cancel();
    giveUp();
  }

  async #settled(): Promise<void> {
    await Promise.allSettled([...this.#entries].map(({ answer }) => answer));
  }

  #follow(entry: Entry, items: Promise<readonly NewItem[]>): void {
    this.#watchExpiry();
    items.then(
      (found) => this.#ready(entry, found),
      (thrown: unknown) => {
        this.#refuse(entry, asError(thrown));
        this.#pump();
      },
    );
  }

  #ready(entry: Entry, items: readonly NewItem[]): void {
    // It may have been refused in the meantime.
    if (!this.#waiting.has(entry)) return;
    entry.items = items;
    if (this.#options.policy.delivery === "latest") this.#makeRoom(entry, items);
    this.#pump();
  }

  /** Lets go of what the entry replaces, or of the entry when there are too many that nothing replaces. */
  #makeRoom(entry: Entry, items: readonly NewItem[]): void {
    const { queueMax } = this.#options.policy;
    const replaced: Entry[] = [];
    for (const older of this.#entries) {
      if (older === entry) break;
      if (older.isReplaced || older.items === undefined) continue;
      if (replaces(items, older.items)) replaced.push(older);
    }
    if (this.#entries.size - this.#replacedCount - replaced.length > queueMax) {
      return this.#refuse(entry, full(queueMax));
    }
    for (const older of replaced) {
      if (this.#waiting.has(older)) this.#refuse(older, superseded());
      else {
        // The client does the same with it, unless it is on its way.
        older.isReplaced = true;
        this.#replacedCount += 1;
      }
    }
  }

  /** Hands what may go to the client, in order. */
  #pump(): void {
    for (const entry of this.#waiting) {
      const isHeld = this.#hold !== undefined && !entry.isFlushed;
      if (entry.items === undefined || isHeld) break;
      this.#waiting.delete(entry);
      this.#send(entry, entry.items);
    }
    this.#watchExpiry();
  }

  #send(entry: Entry, items: readonly NewItem[]): void {
    const ttlMs = this.#lifeLeftMs(entry);
    if (ttlMs === 0) return this.#refuse(entry, expired());
    this.#set(items, ttlMs).then(
      (result) => this.#confirm(entry, result),
      (thrown: unknown) => this.#refuse(entry, asError(thrown)),
    );
  }

  async #set(items: readonly NewItem[], ttlMs: number | undefined): Promise<SetResult> {
    const client = await this.#options.connection.client(this.#abort.signal);
    const options = this.#setOptions;
    return client.setItems(items, ttlMs === undefined ? options : { ...options, ttlMs });
  }

  /** Undefined where the configuration decides. */
  #lifeLeftMs({ arrivedAt }: Entry): number | undefined {
    const { policy, clock } = this.#options;
    return policy.ttlMs === undefined
      ? undefined
      : lifeLeftMs(policy.ttlMs, clock.now() - arrivedAt);
  }

  #confirm(entry: Entry, result: SetResult): void {
    if (!this.#end(entry)) return;
    this.#setCount += 1;
    entry.resolve(result);
  }

  #refuse(entry: Entry, error: Error): void {
    if (this.#end(entry)) entry.reject(error);
  }

  #end(entry: Entry): boolean {
    if (!this.#entries.delete(entry)) return false;
    this.#waiting.delete(entry);
    if (entry.isReplaced) this.#replacedCount -= 1;
    this.#options.onCount?.();
    return true;
  }

  /** What waits and is never sent ends, too. One timer for all, which rings for the first. */
  #watchExpiry(): void {
    const { policy, clock } = this.#options;
    const [first] = this.#waiting;
    if (policy.ttlMs === undefined || first === undefined || this.#closing) return;
    const endsAt = first.arrivedAt + policy.ttlMs;
    this.#cancelExpiry ??= clock.schedule(endsAt - clock.now(), () => {
      this.#cancelExpiry = undefined;
      for (const entry of this.#waiting) {
        if (this.#lifeLeftMs(entry) === 0) this.#refuse(entry, expired());
      }
      this.#pump();
    });
  }
}

const nothing = (): void => undefined;

const closing = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "the node is closing", { outcome: "fail" });

const disconnected = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "the node was told to disconnect", { outcome: "fail" });

const expired = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "the message was not sent within its time to live", {
    outcome: "fail",
  });

const superseded = (): XrtcError =>
  new XrtcError("XRTC_SUPERSEDED", "a newer message for the same portal took its place", {
    outcome: "fail",
  });

const full = (max: number): XrtcError =>
  new XrtcError("XRTC_QUEUE_FULL", `${max} messages are under way already`, {
    retryable: true,
    outcome: "fail",
  });
