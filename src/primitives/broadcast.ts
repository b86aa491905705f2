/** A latest value and those who want to hear of the next one. */
export interface Observable<T> {
  readonly value: T;
  /**
   * Calls back at once with the latest value, then with each new one.
   *
   * @returns a function that ends this; calling it twice is harmless.
   */
  subscribe(listener: (value: T) => void): () => void;
}

/** An {@link Observable} whose value its owner sets. */
export class Broadcast<T> implements Observable<T> {
  #value: T;
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>();

  constructor(initial: T) {
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  set(value: T): void {
    this.#value = value;
    // A copy, because a listener may end its own or another's subscription.
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) listener.call(value);
    }
  }

  subscribe(listener: (value: T) => void): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    listener(this.#value);
    return () => {
      this.#listeners.delete(entry);
    };
  }
}
