import { setMaxListeners } from "node:events";
import { type Clock, type NewItem, XrtcError } from "../../src/index.js";
import type { Connection } from "./connection.js";

/** Milliseconds that a closing node waits for the answers to what it has sent: a deploy should not take longer. */
export const DRAIN_MS_MAX = 2_000;
/** Messages that one node has under way: sent, or waiting for a server that does not listen yet. */
export const MESSAGES_MAX = 10_000;

/** What one node has under way: every message of it is answered or refused, also when the node closes. */
export class Outbox {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #underWay = new Set<Promise<number>>();
  readonly #abort = new AbortController();
  #closing = false;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    // Every message under way listens to it; that is no leak.
    setMaxListeners(MESSAGES_MAX, this.#abort.signal);
  }

  /**
   * Sets items.
   *
   * @returns the server's time of the items, in UNIX ms, when it has them
   * @throws XrtcError why it has not; XRTC_CLOSED once the node closes
   */
  send(items: readonly NewItem[]): Promise<number> {
    if (this.#closing) return Promise.reject(closing());
    if (this.#underWay.size >= MESSAGES_MAX) return Promise.reject(full());
    const sending = this.#set(items).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
    return sending;
  }

  /** Takes no more and waits for the answers that are due, at most {@link DRAIN_MS_MAX}; then gives them up. */
  async close(): Promise<void> {
    this.#closing = true;
    const cancel = this.#clock.schedule(DRAIN_MS_MAX, () => this.#abort.abort(closing()));
    await Promise.allSettled(this.#underWay);
    cancel();
  }

  async #set(items: readonly NewItem[]): Promise<number> {
    const { signal } = this.#abort;
    const client = await this.#connection.client(signal);
    const { serverTimestamp } = await client.setItems(items, { signal });
    return serverTimestamp;
  }
}

const closing = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "the node is closing", { outcome: "fail" });

const full = (): XrtcError =>
  new XrtcError("XRTC_QUEUE_FULL", `${MESSAGES_MAX} messages are under way already`, {
    retryable: true,
    outcome: "fail",
  });
