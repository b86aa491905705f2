import type { NodeStatus } from "node-red";
import type { Cancel, ClientStatus, Clock } from "../../src/index.js";
import {
  type Counts,
  type Hold,
  type Look,
  lookOf,
  sameButCounts,
  sameLook,
  senderLookOf,
  unverifiedLook,
} from "./look.js";
import { textOf, type Translate } from "./look-text.js";

/** Milliseconds that lie between two changes of one badge: each goes to every open editor. */
export const BADGE_INTERVAL_MS_MIN = 250;
/** Milliseconds between two looks at the numbers of messages, and between two changes of nothing else. */
export const COUNT_INTERVAL_MS_MIN = 1_000;

/** The part of a Node-RED node that a badge needs. */
export interface Badged {
  status(status: NodeStatus): void;
}

export interface BadgeOptions {
  readonly translate: Translate;
  readonly clock: Clock;
  /** Messages of the node that have no answer yet. @defaultValue none */
  readonly queued?: () => number;
  /** Messages that have gone through since the node was made. @defaultValue not counted */
  readonly passed?: () => number;
  /** Whether the connection accepts any certificate. @defaultValue never */
  readonly unverified?: () => boolean;
}

/** A badge and what is behind it, as `getStatus` answers it. */
export interface StatusReport {
  readonly fill?: Look["fill"];
  readonly shape?: Look["shape"];
  /** The same as on the badge and in the message of a Status node; blank for no badge. */
  readonly text: string;
  /** How the client stands, or what the node was told. */
  readonly kind: ClientStatus["kind"] | Hold;
  /** Of the error that is the cause. */
  readonly code?: string;
  /** Milliseconds until the next attempt, where one comes by itself. */
  readonly retryInMs?: number;
  /** Messages that have no answer yet. */
  readonly queued: number;
  /** Messages that went through in the last second, where they are counted. */
  readonly perSecond?: number;
}

/** The badge of one node: set when its look changes, at most four times a second, and never to an outdated look. */
export class Badge {
  readonly #node: Badged;
  readonly #options: BadgeOptions;
  #status: ClientStatus = { kind: "idle" };
  #statusAt = 0;
  #hold: Hold | undefined;
  /** Messages that waited when they were counted last: with each change of status most of them may go, or come. */
  #counted: Required<Counts> = { queued: 0, perSecond: 0 };
  #countedAt = 0;
  /** Messages that had gone through then. */
  #passed = 0;
  /** That of the client's statuses alone: each follows from the one before. */
  #clientLook: Look | undefined;
  /** What it all came to last; shown already, or as soon as the interval has passed. */
  #look: Look | undefined;
  #shown: Look | undefined;
  #shownAt = -Infinity;
  #cancel: Cancel | undefined;
  #cancelCount: Cancel | undefined;
  #closed = false;

  constructor(node: Badged, options: BadgeOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** Shows how a client stands. */
  update(status: ClientStatus): void {
    this.#status = status;
    this.#statusAt = this.#options.clock.now();
    this.#clientLook = lookOf(this.#clientLook, status);
    this.#refresh();
  }

  /** Shows that the node was told to hold back, undefined when it is no longer. */
  hold(hold: Hold | undefined): void {
    this.#hold = hold;
    this.#counted = { ...this.#counted, queued: this.#queued };
    this.#refresh();
  }

  /** A message has come or gone. They are counted once a second for as long as there are any. */
  count(): void {
    if (this.#closed || this.#cancelCount !== undefined) return;
    if (this.#counted.perSecond === 0) this.#countedAt = this.#options.clock.now();
    this.#cancelCount = this.#options.clock.schedule(COUNT_INTERVAL_MS_MIN, () => {
      this.#cancelCount = undefined;
      this.#recount();
      this.#refresh();
      const { queued, perSecond } = this.#counted;
      if (queued > 0 || perSecond > 0) this.count();
    });
  }

  /** Shows a look, undefined for none. */
  set(look: Look | undefined): void {
    if (this.#closed) return;
    this.#look = look;
    if (sameLook(look, this.#shown)) return this.#unschedule();
    const interval = sameButCounts(look, this.#shown)
      ? COUNT_INTERVAL_MS_MIN
      : BADGE_INTERVAL_MS_MIN;
    const waitMs = this.#shownAt + interval - this.#options.clock.now();
    if (waitMs <= 0) return this.#show();
    this.#unschedule();
    this.#cancel = this.#options.clock.schedule(waitMs, () => this.#show());
  }

  /** What the badge says, or is about to say. */
  report(): StatusReport {
    const { translate, clock, passed } = this.#options;
    const look = this.#look;
    const { fill, shape } = look ?? {};
    const code = "cause" in this.#status ? this.#status.cause.code : undefined;
    const elapsed = clock.now() - this.#statusAt;
    const retryInMs = "retryInMs" in this.#status ? this.#status.retryInMs - elapsed : Infinity;
    return {
      ...(fill === undefined ? {} : { fill }),
      ...(shape === undefined ? {} : { shape }),
      text: look === undefined ? "" : textOf(look, translate),
      kind: this.#hold ?? this.#status.kind,
      ...(code === undefined ? {} : { code }),
      ...(Number.isFinite(retryInMs) ? { retryInMs: Math.max(0, Math.round(retryInMs)) } : {}),
      queued: this.#queued,
      ...(passed === undefined ? {} : { perSecond: this.#counted.perSecond }),
    };
  }

  /** Takes the badge away and shows none any more: the node is about to go. */
  close(): void {
    this.#closed = true;
    this.#unschedule();
    this.#cancelCount?.();
    if (this.#shown !== undefined) this.#node.status({});
  }

  get #queued(): number {
    return this.#options.queued?.() ?? 0;
  }

  #recount(): void {
    const { clock, passed } = this.#options;
    const now = clock.now();
    const total = passed?.() ?? 0;
    const elapsed = Math.max(1, now - this.#countedAt);
    const perSecond = Math.round(((total - this.#passed) * 1_000) / elapsed);
    this.#counted = { queued: this.#queued, perSecond };
    this.#countedAt = now;
    this.#passed = total;
  }

  #refresh(): void {
    const look = senderLookOf(this.#clientLook, this.#hold, this.#counted);
    this.set(this.#options.unverified?.() === true ? unverifiedLook(look) : look);
  }

  #unschedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #show(): void {
    this.#unschedule();
    const look = this.#look;
    this.#shown = look;
    this.#shownAt = this.#options.clock.now();
    const { translate } = this.#options;
    this.#node.status(
      look === undefined
        ? {}
        : { fill: look.fill, shape: look.shape, text: textOf(look, translate) },
    );
  }
}
