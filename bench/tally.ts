/** What was sent and what arrived: every item has a number, and each number has to come once, after the one before it. */

/** Characters of an item's text that hold its number. */
const NUMBER_LENGTH = 12;

export interface Faults {
  readonly lost: number;
  readonly repeated: number;
  readonly disordered: number;
  /** Items whose sending was not acknowledged. */
  readonly failed: number;
}

export class Tally {
  readonly #filler: string;
  /** By an item's number: when it was sent and when it was received first (ms); 0 for never. */
  #sentAt = new Float64Array(65_536);
  #receivedAt = new Float64Array(65_536);
  #sent = 0;
  #received = 0;
  #latest = -1;
  #repeated = 0;
  #disordered = 0;
  #failed = 0;
  #acknowledged = 0;
  /** Called after each change. */
  onChange: () => void = () => undefined;

  /** @param payloadBytes - length of an item's text */
  constructor(payloadBytes: number) {
    this.#filler = "x".repeat(payloadBytes - NUMBER_LENGTH);
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#received;
  }

  get unreceived(): number {
    return this.#sent - this.#received;
  }

  get unconfirmed(): number {
    return this.#sent - this.#acknowledged - this.#failed;
  }

  /** The next item's text; its time counts from here. */
  next(): string {
    const number = this.#sent;
    if (number === this.#sentAt.length) {
      this.#sentAt = doubled(this.#sentAt);
      this.#receivedAt = doubled(this.#receivedAt);
    }
    this.#sent += 1;
    const payload = String(number).padStart(NUMBER_LENGTH, "0") + this.#filler;
    this.#sentAt[number] = performance.now();
    return payload;
  }

  readonly acknowledge = (): void => {
    this.#acknowledged += 1;
    this.onChange();
  };

  readonly fail = (): void => {
    this.#failed += 1;
    this.onChange();
  };

  readonly receive = (payload: string): void => {
    const number = Number(payload.slice(0, NUMBER_LENGTH));
    if (this.#receivedAt[number] !== 0) {
      this.#repeated += 1;
      return;
    }
    this.#receivedAt[number] = performance.now();
    this.#received += 1;
    if (number < this.#latest) this.#disordered += 1;
    else this.#latest = number;
    this.onChange();
  };

  /** Milliseconds from sending to receipt of the items from a number on; those that never came are left out. */
  latenciesFrom(first: number): Float64Array {
    const latencies = new Float64Array(this.#sent - first);
    let count = 0;
    for (let number = first; number < this.#sent; number += 1) {
      const receivedAt = this.#receivedAt[number] ?? 0;
      if (receivedAt === 0) continue;
      latencies[count] = receivedAt - (this.#sentAt[number] ?? 0);
      count += 1;
    }
    return latencies.subarray(0, count);
  }

  get faults(): Faults {
    return {
      lost: this.unreceived,
      repeated: this.#repeated,
      disordered: this.#disordered,
      failed: this.#failed,
    };
  }
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}
