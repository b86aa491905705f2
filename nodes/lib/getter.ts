import { asError, type XrtcClient, XrtcError } from "../../src/index.js";
import type { Connection } from "./connection.js";

/** Messages of one node that may wait for their answers; one more fails. */
export const WAITING_MAX = 1_000;

export type Question = (client: XrtcClient, signal: AbortSignal) => Promise<void>;

/** What one node asks: one question after the other, each settled, also when the node closes. */
export class Getter {
  readonly #connection: Connection;
  readonly #onCount: () => void;
  readonly #abort = new AbortController();
  /** Ends when all that was asked so far has been answered. */
  #answered: Promise<void> = Promise.resolve();
  #count = 0;
  /** The one that was asked last. */
  #client: XrtcClient | undefined;

  /** @param onCount - hears that the number of questions has changed */
  constructor(connection: Connection, onCount: () => void) {
    this.#connection = connection;
    this.#onCount = onCount;
  }

  /** Questions without an answer. */
  get count(): number {
    return this.#count;
  }

  /**
   * Asks when all that was asked before has been answered.
   *
   * @throws XrtcError that of the question; XRTC_QUEUE_FULL; XRTC_CLOSED once the node closes
   */
  async ask(question: Question): Promise<void> {
    if (this.#count >= WAITING_MAX) throw full();
    this.#set(this.#count + 1);
    const before = this.#answered;
    const answered = before.then(() => this.#askNow(question));
    // Whoever asked hears how it ended; the next one only that it did.
    this.#answered = answered.then(nothing, nothing);
    await answered.finally(() => this.#set(this.#count - 1));
  }

  /**
   * Gives up what is asked, and what waits.
   *
   * @param forget - the name whose place no client needs to keep any more
   */
  async close(forget?: string): Promise<void> {
    this.#abort.abort(closing());
    await this.#answered;
    if (forget !== undefined) this.#client?.forget(forget);
  }

  async #askNow(question: Question): Promise<void> {
    const { signal } = this.#abort;
    signal.throwIfAborted();
    const client = await this.#connection.client(signal);
    this.#client = client;
    // What a question waits for may hear of no signal, as an expression does not.
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(asError(signal.reason));
      signal.addEventListener("abort", onAbort, { once: true });
      question(client, signal)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  #set(count: number): void {
    this.#count = count;
    this.#onCount();
  }
}

const nothing = (): void => undefined;

const closing = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "the node is closing", { outcome: "fail" });

const full = (): XrtcError =>
  new XrtcError("XRTC_QUEUE_FULL", `${WAITING_MAX} messages wait for an answer already`, {
    retryable: true,
    outcome: "fail",
  });
