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
  readonly numbers: Map<object, number>;
  next: number;
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
      for (const each of unanswered) this.#number(this.#lane, each);
    }
    const lane = this.#lane;
    return {
      producer: lane.producer,
      sequence: lane.numbers.get(batch) ?? this.#number(lane, batch),
    };
  }

  /** The batch has been decided: its number is used. */
  answered(batch: B): void {
    this.#lane?.numbers.delete(batch);
  }

  /** The batch is given up, and perhaps its number was never used. */
  abandoned(batch: B): void {
    if (this.#lane?.numbers.has(batch)) this.#lane = undefined;
  }

  #number(lane: Lane, batch: B): number {
    const sequence = lane.next;
    lane.next += 1;
    lane.numbers.set(batch, sequence);
    return sequence;
  }
}
