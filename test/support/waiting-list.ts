/** Milliseconds after which a wait gives up and tells what has come instead. */
const WAIT_MS_MAX = 30_000;

/** Things that come one after another, for which one can wait; what has come stays. */
export class WaitingList<T> {
  readonly #all: T[] = [];
  readonly #checks = new Set<() => void>();
  #ended: Error | undefined;

  get all(): readonly T[] {
    return this.#all;
  }

  add(one: T): void {
    this.#all.push(one);
    for (const check of this.#checks) check();
  }

  /** Nothing comes any more: who still waits learns why. */
  end(reason: Error): void {
    this.#ended ??= reason;
    for (const check of this.#checks) check();
  }

  /**
   * The value that `look` finds in what has come, as soon as it finds one.
   *
   * @param what - what is waited for, for the error
   * @param msMax - milliseconds @defaultValue 30,000
   * @throws Error when it does not come in time, or cannot come any more
   */
  until<Found>(
    look: (all: readonly T[]) => Found | undefined,
    what: string,
    msMax = WAIT_MS_MAX,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        act();
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${what} did not come within ${msMax} ms`))),
        msMax,
      );
      const check = (): void => {
        const found = look(this.#all);
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#ended !== undefined) {
          const cause = this.#ended;
          settle(() => reject(new Error(`${what} cannot come any more: ${cause.message}`)));
        }
      };
      this.#checks.add(check);
      check();
    });
  }
}
