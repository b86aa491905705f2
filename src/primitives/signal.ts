/**
 * What this package uses of an `AbortSignal`. Those of its own are {@link Abort}s: an `AbortSignal` is an event target,
 * and making one, tying it to its parent and letting it go costs more than all else that a set does before it is sent.
 */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** @throws the reason, once aborted */
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A signal together with what aborts it. Listeners are told once, in the order in which they came. */
export class Abort implements Signal {
  #aborted = false;
  #reason: unknown;
  /** Nearly always one. */
  #first: (() => void) | undefined;
  #others: Set<() => void> | undefined;

  get signal(): Signal {
    return this;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Every listener is told once, whatever its options; one that comes after the abort is not told, as with any signal. */
  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#aborted || this.#first === listener) return;
    if (this.#first === undefined && this.#others === undefined) this.#first = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#first === listener) this.#first = undefined;
    else if (this.#others?.delete(listener) === true && this.#others.size === 0) {
      this.#others = undefined;
    }
  }

  /** Aborting it again does nothing. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#first?.();
    this.#first = undefined;
    // A listener that is taken out by one before it is not told.
    for (const listener of this.#others ?? []) listener();
    this.#others = undefined;
  }
}
