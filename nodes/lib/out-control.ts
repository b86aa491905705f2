/** What a message can tell an xrtc-out node to do instead of being set. */

import type { Outbox } from "./outbox.js";
import type { Badge, StatusReport } from "./status.js";

/** The values of msg.action that mean something; with any other, a message is an ordinary one. */
export const VERBS = ["connect", "disconnect", "pause", "resume", "flush", "getStatus"] as const;
export type Verb = (typeof VERBS)[number];

const known: ReadonlySet<unknown> = new Set(VERBS);

/** What a message tells the node to do, if it is no ordinary one. */
export function verbOf(message: Readonly<Record<string, unknown>>): Verb | undefined {
  const { action } = message;
  return known.has(action) ? (action as Verb) : undefined;
}

export interface OutControlOptions {
  readonly outbox: Pick<Outbox, "hold" | "flush" | "open">;
  readonly badge: Pick<Badge, "hold" | "report">;
}

/** Holds one node back and lets it go. What it was told ends with the node: a deploy brings one that sends. */
export class OutControl {
  readonly #options: OutControlOptions;
  #isPaused = false;
  #isDisconnected = false;

  constructor(options: OutControlOptions) {
    this.#options = options;
  }

  /**
   * Does what a message says.
   *
   * @returns the answer, when the verb asks for one
   * @throws XrtcError when a login fails; XRTC_CLOSED for a flush of a node that was told to disconnect
   */
  async obey(verb: Verb): Promise<StatusReport | undefined> {
    const { outbox, badge } = this.#options;
    switch (verb) {
      case "connect":
        this.#isDisconnected = false;
        this.#hold();
        await outbox.open();
        return undefined;
      case "disconnect":
        this.#isDisconnected = true;
        this.#hold();
        return undefined;
      case "pause":
      case "resume":
        this.#isPaused = verb === "pause";
        this.#hold();
        return undefined;
      case "flush":
        await outbox.flush();
        return undefined;
      case "getStatus":
        return badge.report();
      default:
        return verb satisfies never;
    }
  }

  #hold(): void {
    const hold = this.#isDisconnected ? "disconnected" : this.#isPaused ? "paused" : undefined;
    const { outbox, badge } = this.#options;
    outbox.hold(hold);
    badge.hold(hold);
  }
}
