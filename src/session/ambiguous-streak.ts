/** Ambiguous refusals that are so many, in milliseconds that are so few, are taken for a throttle. */
const THROTTLE_COUNT = 3;
const THROTTLE_MS = 10_000;

/** Tells a request that is refused for reasons of its own from a service that refuses one after the other. */
export class AmbiguousStreak {
  readonly #times: number[] = [];

  /** A request was refused with a code that nobody knows. @returns whether that is to be taken for a throttle */
  refused(now: number): boolean {
    this.#times.push(now);
    if (this.#times.length > THROTTLE_COUNT) this.#times.shift();
    const [first] = this.#times;
    return this.#times.length === THROTTLE_COUNT && now - (first ?? now) < THROTTLE_MS;
  }
}
