/**
 * A queue of bounded length that overwrites its oldest value when it is full. It takes memory only for what it has held
 * so far, because a thousand rings of a thousand places are mostly empty.
 */
export class RingBuffer<T> {
  readonly capacity: number;
  #slots: (T | undefined)[] = [];
  #first = 0;
  #length = 0;

  /** @param capacity - greatest number of values, 1 or more */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`a ring buffer needs a capacity of 1 or more, got ${capacity}`);
    }
    this.capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a value. @returns the oldest value when it had to make room, else undefined */
  push(value: T): T | undefined {
    if (this.#length === this.#slots.length) this.#grow();
    const overwritten = this.#length === this.capacity ? this.shift() : undefined;
    this.#slots[this.#place(this.#length)] = value;
    this.#length += 1;
    return overwritten;
  }

  /** Takes the oldest value out. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#slots[this.#first];
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#slots.length;
    this.#length -= 1;
    return value;
  }

  /**
   * The value at a place, 0 being the oldest.
   *
   * @throws RangeError when there is no such place
   */
  at(index: number): T {
    if (index < 0 || index >= this.#length) throw new RangeError(`no value at ${index}`);
    return this.#slots[this.#place(index)] as T;
  }

  /**
   * The first place whose value satisfies `test`, or the length when none does. The values must be partitioned: once
   * one satisfies it, all later ones do.
   */
  firstIndex(test: (value: T) => boolean): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (test(this.at(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #place(index: number): number {
    return (this.#first + index) % this.#slots.length;
  }

  #grow(): void {
    if (this.#slots.length === this.capacity) return;
    const slots: (T | undefined)[] = [];
    for (let index = 0; index < this.#length; index += 1) slots.push(this.at(index));
    const size = Math.min(this.capacity, Math.max(8, this.#length * 2));
    while (slots.length < size) slots.push(undefined);
    this.#slots = slots;
    this.#first = 0;
  }
}
