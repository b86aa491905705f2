import type { Cancel } from "../../../primitives/clock.js";
import type { TimeoutQueue } from "../../../primitives/timeout-queue.js";
import type { OrderNotice } from "./bell-entry.js";

/** An ordered set of this process whose predecessors have not been applied. */
export interface EarlySet {
  readonly session: string;
  readonly producer: string;
  readonly number: number;
  /** It may be its turn: asks Redis again. */
  retry(): void;
  /** Its predecessors did not come in time, or one was refused. */
  late(): void;
}

/** The place of a set that waits. */
export interface EarlyPlace {
  /** Something may have happened before it had its place: it asks. */
  ask(): void;
  /** It asked, and was early again. */
  again(): void;
  /** It waits no more. */
  decided(): void;
}

interface Waiting {
  readonly set: EarlySet;
  readonly cancelTimeout: Cancel;
  readonly end: () => void;
  /** Asks just now, and hears of nothing else. */
  isAsking: boolean;
  /** Something happened while it asked. */
  isAskedAgain: boolean;
  /** Its time is over. */
  isOver: boolean;
}

/**
 * Ordered sets of this process that wait for the ones before them, each for one and the same time in all, however often
 * it asks meanwhile.
 */
export class EarlySets {
  readonly #timeouts: TimeoutQueue;
  readonly #byProducer = new Map<string, Set<Waiting>>();

  constructor(timeouts: TimeoutQueue) {
    this.#timeouts = timeouts;
  }

  /** How many of a session wait. */
  countOf(session: string): number {
    let count = 0;
    for (const [place, waiting] of this.#byProducer) {
      if (place.startsWith(`${session} `)) count += waiting.size;
    }
    return count;
  }

  /** Lets a set wait. */
  add(set: EarlySet): EarlyPlace {
    const place = placeOf(set);
    const all = this.#byProducer.get(place) ?? new Set();
    this.#byProducer.set(place, all);
    const leave = (): void => {
      waiting.cancelTimeout();
      all.delete(waiting);
      if (all.size === 0 && this.#byProducer.get(place) === all) this.#byProducer.delete(place);
    };
    const end = (): void => {
      waiting.isOver = true;
      // One that asks just now is answered by what it hears.
      if (waiting.isAsking) return;
      leave();
      set.late();
    };
    const cancelTimeout = this.#timeouts.add(end);
    const state = { isAsking: false, isAskedAgain: false, isOver: false };
    const waiting: Waiting = { set, cancelTimeout, end, ...state };
    all.add(waiting);
    return {
      ask: () => this.#ask(waiting),
      again: () => {
        waiting.isAsking = false;
        if (waiting.isOver) {
          end();
        } else if (waiting.isAskedAgain) {
          waiting.isAskedAgain = false;
          this.#ask(waiting);
        }
      },
      decided: leave,
    };
  }

  /** A producer went on, here or in another process. */
  notice({ session, producer, next, isRefused }: OrderNotice): void {
    for (const waiting of [...(this.#byProducer.get(placeOf({ session, producer })) ?? [])]) {
      // A later one learns by asking that it waits in vain.
      if (waiting.set.number === next || isRefused) this.#ask(waiting);
    }
  }

  /** Nobody knows what was missed of these sessions: all ask. */
  lookAgain(): void {
    for (const all of [...this.#byProducer.values()]) {
      for (const waiting of [...all]) this.#ask(waiting);
    }
  }

  /** Turns all away that wait, of one session or of all. */
  close(session?: string): void {
    for (const all of [...this.#byProducer.values()]) {
      for (const waiting of [...all]) {
        if (session === undefined || waiting.set.session === session) waiting.end();
      }
    }
  }

  #ask(waiting: Waiting): void {
    if (waiting.isAsking) {
      waiting.isAskedAgain = true;
      return;
    }
    waiting.isAsking = true;
    waiting.set.retry();
  }
}

const placeOf = ({ session, producer }: { session: string; producer: string }): string =>
  `${session} ${producer}`;
