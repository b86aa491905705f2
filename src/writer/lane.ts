/** The numbers under which batches go out, where the server applies them in that order. Pure. */

/** What a set says of its place. */
export interface OrderedPlace {
  readonly producer: string;
  /** 1 for the first of a producer in a session. */
  readonly sequence: number;
}

interface Lane {
  readonly producer: string;
  /** The login under which its numbers count. */
  readonly generation: number;
  readonly numbers: Map<object, Numbered>;
  next: number;
}

interface Numbered {
  readonly sequence: number;
  /** Whether a request went out under the number: only then can the server have seen it. */
  isUsed: boolean;
}

/**
 * A batch keeps its number on every attempt within a lane. A new lane, with every unanswered batch numbered anew, is
 * needed when the session is another one, and when a number will never be used: the ones after it would wait in vain.
 */
export class Lanes<B extends object> {
  readonly #newProducer: () => string;
  #lane: Lane | undefined;

  constructor(newProducer: () => string) {
    this.#newProducer = newProducer;
  }

  /** @param unanswered - every batch that was taken from the queue and has no answer, in order, this one among them */
  placeOf(batch: B, generation: number, unanswered: readonly B[]): OrderedPlace {
    if (this.#lane?.generation !== generation) {
      this.#lane = { producer: this.#newProducer(), generation, numbers: new Map(), next: 1 };
    }
    const lane = this.#lane;
    // One that waits for the request rate may be overtaken on its way out; its number goes before, all the same.
    for (const each of unanswered) if (!lane.numbers.has(each)) this.#number(lane, each);
    const numbered = lane.numbers.get(batch) ?? this.#number(lane, batch);
    numbered.isUsed = true;
    return { producer: lane.producer, sequence: numbered.sequence };
  }

  /**
   * The batch has been decided, and its number is used. Not so the new number of a batch whose request under the
   * session before was answered after all: the ones after it would wait in vain.
   */
  answered(batch: B): void {
    const numbered = this.#lane?.numbers.get(batch);
    if (numbered?.isUsed === false) this.#lane = undefined;
    else this.#lane?.numbers.delete(batch);
  }

  /** The batch is given up, and perhaps its number was never used. */
  abandoned(batch: B): void {
    if (this.#lane?.numbers.has(batch)) this.#lane = undefined;
  }

  #number(lane: Lane, batch: B): Numbered {
    const numbered = { sequence: lane.next, isUsed: false };
    lane.next += 1;
    lane.numbers.set(batch, numbered);
    return numbered;
  }
}
