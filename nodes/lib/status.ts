import type { NodeStatus } from "node-red";
import type { Cancel, ClientStatus, Clock } from "../../src/index.js";
import type { Look, Phrase } from "./look.js";
import { lookOf, sameLook } from "./look.js";

/** Milliseconds that lie between two changes of one badge: each goes to every open editor. */
export const BADGE_INTERVAL_MS_MIN = 250;

/** Looks a key of the message catalogue up. */
export type Translate = (key: string, parameters?: Readonly<Record<string, string>>) => string;

/** The part of a Node-RED node that a badge needs. */
export interface Badged {
  status(status: NodeStatus): void;
}

/** Catalogue of the phrases of badges; it belongs to the set of xrtc-config, which every other node needs anyway. */
const CATALOGUE = "@xrtc-community/node-red-xrtc/xrtc-config:badge";

/** A phrase in the runtime's language. */
export function textOf(phrase: Phrase, translate: Translate): string {
  switch (phrase.kind) {
    case "shared":
      return phrase.key;
    case "own":
      return translate(`${CATALOGUE}.${phrase.key}`);
    case "words":
      return phrase.text;
    case "cause":
      return translate(`${CATALOGUE}.${phrase.code}`);
    case "retry": {
      const cause = translate(`${CATALOGUE}.${phrase.code}`);
      return phrase.seconds === undefined
        ? translate(`${CATALOGUE}.retrying`, { cause })
        : translate(`${CATALOGUE}.retryIn`, { cause, seconds: String(phrase.seconds) });
    }
    default:
      return phrase satisfies never;
  }
}

/** The badge of one node: set when its look changes, at most four times a second, and never to an outdated look. */
export class Badge {
  readonly #node: Badged;
  readonly #translate: Translate;
  readonly #clock: Clock;
  /** What the status came to last; shown already, or as soon as the interval has passed. */
  #look: Look | undefined;
  #shown: Look | undefined;
  #shownAt = -Infinity;
  #cancel: Cancel | undefined;
  #closed = false;

  constructor(node: Badged, { translate, clock }: { translate: Translate; clock: Clock }) {
    this.#node = node;
    this.#translate = translate;
    this.#clock = clock;
  }

  /** Shows how a client stands. */
  update(status: ClientStatus): void {
    this.set(lookOf(this.#look, status));
  }

  /** Shows a look, undefined for none. */
  set(look: Look | undefined): void {
    if (this.#closed) return;
    this.#look = look;
    if (this.#cancel !== undefined) return;
    const waitMs = this.#shownAt + BADGE_INTERVAL_MS_MIN - this.#clock.now();
    if (waitMs <= 0) this.#show();
    else if (!sameLook(look, this.#shown)) {
      this.#cancel = this.#clock.schedule(waitMs, () => {
        this.#cancel = undefined;
        this.#show();
      });
    }
  }

  /** Takes no further look; the node is about to go, and its badge with it. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #show(): void {
    const look = this.#look;
    if (sameLook(look, this.#shown)) return;
    this.#shown = look;
    this.#shownAt = this.#clock.now();
    this.#node.status(
      look === undefined
        ? {}
        : { fill: look.fill, shape: look.shape, text: textOf(look.phrase, this.#translate) },
    );
  }
}
