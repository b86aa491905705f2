import type { NodeMessage } from "node-red";
import { type Cancel, type Clock, isXrtcError, type XrtcError } from "../../src/index.js";

/** Milliseconds that messages wait for a node of the same id to come back. */
export const HANDOVER_MS_MAX = 60_000;
/** Messages that wait for one node; one more fails. */
const MESSAGES_MAX = 10_000;

/** When and after which others a message came to its node. */
export interface Arrival {
  /** Its place among the messages of its node. */
  readonly order: number;
  /** Monotonic ms. */
  readonly at: number;
}

interface Left {
  readonly message: NodeMessage;
  readonly order: number;
  readonly giveUp: () => void;
}

/**
 * Messages that a node did not send before it was closed for a deploy, kept for the node of the same id which that
 * deploy creates. Each settles once: there, or here when no such node comes.
 */
export class Handover {
  readonly #clock: Clock;
  readonly #left = new Map<string, Left[]>();
  /** When messages came that were left once: they do not live longer for it. */
  readonly #arrivals = new WeakMap<NodeMessage, number>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Leaves a message to the successor of a node.
   *
   * @returns a promise that never resolves: whoever takes the message settles it
   * @throws XrtcError `cause` when nobody takes it
   */
  leave(id: string, message: NodeMessage, arrival: Arrival, cause: XrtcError): Promise<never> {
    const { order, at } = arrival;
    this.#arrivals.set(message, at);
    return new Promise((_resolve, reject) => {
      const left = this.#left.get(id) ?? [];
      if (left.length >= MESSAGES_MAX) {
        reject(cause);
        return;
      }
      left.push({ message, order, giveUp: () => reject(cause) });
      this.#left.set(id, left);
      this.#cancel ??= this.#clock.schedule(HANDOVER_MS_MAX, () => this.giveUp());
    });
  }

  /** The messages that the node of that id inherits, in their order. */
  take(id: string): readonly NodeMessage[] {
    const left = this.#left.get(id) ?? [];
    this.#left.delete(id);
    this.#restIfEmpty();
    return left.toSorted((a, b) => a.order - b.order).map(({ message }) => message);
  }

  /** When a message came, if a node before left it (monotonic ms). */
  arrivedAt(message: NodeMessage): number | undefined {
    return this.#arrivals.get(message);
  }

  /** Nobody comes for what is left: each message fails. */
  giveUp(): void {
    const all = [...this.#left.values()].flat();
    this.#left.clear();
    this.#restIfEmpty();
    for (const { giveUp } of all) giveUp();
  }

  #restIfEmpty(): void {
    if (this.#left.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** Whether a message was given up by a close before any of it was sent. */
export const isUnsent = (thrown: unknown): thrown is XrtcError =>
  isXrtcError(thrown, "XRTC_CLOSED") && thrown.outcome === "fail";
