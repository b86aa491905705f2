import { systemError } from "../../wire-error.js";
import type { SetOutcome, SetWish } from "../backend.js";
import type { AccountFeed } from "./account-feed.js";
import type { Connection } from "./connection.js";
import type { EarlyPlace, EarlySets } from "./early-sets.js";
import type { EngineClock } from "./engine-clock.js";
import type { ItemReader } from "./item-reader.js";
import { listOf, numberAt, type Reply } from "./reply.js";
import { SET } from "./scripts/set.js";
import { outcomeOf, overrunOf, stampsOf } from "./set-reply.js";
import { prepare, type PreparedSet, setArguments, type SetSettings } from "./set-request.js";

export interface RedisSetsOptions {
  readonly connection: Connection;
  readonly clock: EngineClock;
  readonly items: ItemReader;
  readonly early: EarlySets;
  readonly settings: SetSettings;
}

type OnDecided = (outcome: SetOutcome) => void;

/** Sets decided in Redis, each by one script, whatever process it came to. */
export class RedisSets {
  readonly #options: RedisSetsOptions;
  /** Items that full rings let go of before their time, as far as sets of this process did it. */
  itemsOverrun = 0;

  constructor(options: RedisSetsOptions) {
    this.#options = options;
  }

  /** Decides a set, and tells how, once. Does not throw. */
  decide(session: string, feed: AccountFeed, wish: SetWish, onDecided: OnDecided): void {
    let set: PreparedSet;
    try {
      set = prepare(wish, this.#options.settings);
    } catch (error) {
      onDecided({ kind: "failed", error });
      return;
    }
    new Deciding(this, this.#options, { session, feed, wish, set, onDecided }).ask();
  }
}

interface Subject {
  /** Name of the session that it came in. */
  readonly session: string;
  readonly feed: AccountFeed;
  readonly wish: SetWish;
  readonly set: PreparedSet;
  readonly onDecided: OnDecided;
}

/**
 * One set until it is decided.
 *
 * It is asked for: at once; when it was early, each time that its producer went on, in whatever process, or that nobody
 * knows whether it did. The first is paced by the request, the others by the sets before it, and all end with its wait.
 */
class Deciding {
  readonly #sets: RedisSets;
  readonly #options: RedisSetsOptions;
  readonly #subject: Subject;
  readonly #arguments: readonly (string | number)[];
  #place: EarlyPlace | undefined;
  /** What the bell had told when it was last asked for. */
  #heardBefore = 0;

  constructor(sets: RedisSets, options: RedisSetsOptions, subject: Subject) {
    this.#sets = sets;
    this.#options = options;
    this.#subject = subject;
    const { session, wish, set } = subject;
    this.#arguments = setArguments(session, wish, set, options.settings);
  }

  ask(): void {
    const { base, heard } = this.#subject.feed;
    this.#heardBefore = heard;
    this.#options.connection
      .run(SET, base, this.#arguments)
      .then((reply) => this.#answered(listOf(reply)))
      .catch((error: unknown) => this.#decided({ kind: "failed", error }));
  }

  #answered(reply: Reply): void {
    const { settings, early } = this.#options;
    const outcome = outcomeOf(reply, settings.bounds);
    if (outcome === "early") {
      this.#wait();
      return;
    }
    this.#sets.itemsOverrun += overrunOf(reply);
    const { feed, session, wish, set } = this.#subject;
    if (reply[0] === "applied" && feed.isListening) this.#handOn(reply, set);
    this.#decided(outcome);
    if (wish.order === undefined) return;
    const { producer, number } = wish.order;
    const isRefused = outcome.kind === "refused";
    const next = isRefused ? number : number + 1;
    if (isRefused || outcome.kind === "applied")
      early.notice({ session, producer, next, isRefused });
  }

  /** Readers first, then the one who set. */
  #handOn(reply: Reply, set: PreparedSet): void {
    const { items, clock } = this.#options;
    clock.observe(numberAt(reply, 4));
    const stamps = stampsOf(reply, set);
    this.#subject.feed.stored(
      stamps.map((stamp, index) => items.item(stamp, set.payloads[index]?.json ?? '""')),
    );
  }

  #wait(): void {
    if (this.#place !== undefined) {
      this.#place.again();
      return;
    }
    const { early, settings } = this.#options;
    const { session, wish, feed } = this.#subject;
    if (early.countOf(session) >= settings.bounds.earlySetsPerSessionMax) {
      this.#decided({ kind: "refused", error: tooManyEarly() });
      return;
    }
    const { producer = "", number = 0 } = wish.order ?? {};
    const late = (): void => this.#decided({ kind: "late" });
    this.#place = early.add({ session, producer, number, retry: () => this.ask(), late });
    feed.waitingSets += 1;
    // The bell comes over another connection: it may have told of the set before this one already.
    if (feed.heard !== this.#heardBefore) this.#place.ask();
    feed.listen();
  }

  #decided(outcome: SetOutcome): void {
    if (this.#place !== undefined) {
      this.#place.decided();
      this.#place = undefined;
      this.#subject.feed.waitingSets -= 1;
    }
    this.#subject.onDecided(outcome);
  }
}

const tooManyEarly = () =>
  systemError(400, "too many sets of this session wait for the ones before them");
