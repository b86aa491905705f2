import { Broadcast, type Cancel, type Clock, type Observable } from "../../src/index.js";

export interface PoolOptions<Value> {
  readonly clock: Clock;
  /** Milliseconds that a value outlives its last user. */
  readonly holdMs: number;
  /** Ends a value that nobody wants any more. What it throws goes to `onError`. */
  readonly dispose: (value: Value) => Promise<void>;
  readonly onError: (thrown: unknown) => void;
}

export interface PoolRequest<Value> {
  /** What the value was made from; a value made from something else is not the one that is asked for. */
  readonly fingerprint: string;
  /** Whether one that was made from this will do. @defaultValue only from the very same */
  readonly accepts?: (fingerprint: string) => boolean;
  /** Who asks, as others would name it. */
  readonly owner: string;
  readonly create: () => Value;
  /** The error for a value that is in use and was made from something else; `user` is who uses it. */
  readonly conflict: (user: string, fingerprint: string) => Error;
}

export interface Lease<Value> {
  readonly value: Value;
  /** Gives the value back; a second call does nothing. */
  readonly release: () => void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly fingerprint: string;
  readonly users: Map<symbol, string>;
  cancelHold: Cancel | undefined;
}

/**
 * Values that many share and that outlive their last user for a while, so that whoever is closed and created anew a
 * moment later finds the same one again.
 */
export class Pool<Value> {
  readonly #options: PoolOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #ending = new Set<Promise<void>>();
  readonly #freed = new Broadcast<number>(0);

  constructor(options: PoolOptions<Value>) {
    this.#options = options;
  }

  /** Values that exist, used or held. */
  get size(): number {
    return this.#entries.size;
  }

  /** Counts the values that lost their last user: for whoever met a conflict and wants to try again. */
  get freed(): Observable<number> {
    return this.#freed;
  }

  /**
   * The value of a key: the one that exists, else a new one. One that is only held and was made from something else
   * ends first.
   *
   * @throws the request's conflict error when one that was made from something else is in use
   */
  acquire(key: string, request: PoolRequest<Value>): Lease<Value> {
    const { fingerprint, owner, create, conflict } = request;
    const { accepts = (other: string) => other === fingerprint } = request;
    let entry = this.#entries.get(key);
    if (entry !== undefined && !accepts(entry.fingerprint)) {
      const [user] = entry.users.values();
      if (user !== undefined) throw conflict(user, entry.fingerprint);
      this.#end(key, entry);
      entry = undefined;
    }
    if (entry === undefined) {
      entry = { value: create(), fingerprint, users: new Map(), cancelHold: undefined };
      this.#entries.set(key, entry);
    }
    entry.cancelHold?.();
    entry.cancelHold = undefined;
    return this.#lease(key, entry, owner);
  }

  /** Ends what is only held: all of it, or what `which` chooses. */
  endHeld(which: (key: string, value: Value) => boolean = () => true): void {
    for (const [key, entry] of [...this.#entries]) {
      if (entry.users.size === 0 && which(key, entry.value)) this.#end(key, entry);
    }
  }

  /** Resolves when all that was ended by now has come to its end. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #lease(key: string, entry: Entry<Value>, owner: string): Lease<Value> {
    const user = Symbol(owner);
    entry.users.set(user, owner);
    return {
      value: entry.value,
      release: () => {
        if (!entry.users.delete(user) || entry.users.size > 0) return;
        entry.cancelHold = this.#options.clock.schedule(this.#options.holdMs, () =>
          this.#end(key, entry),
        );
        this.#freed.set(this.#freed.value + 1);
      },
    };
  }

  #end(key: string, entry: Entry<Value>): void {
    entry.cancelHold?.();
    entry.cancelHold = undefined;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    const ending = this.#options
      .dispose(entry.value)
      .catch(this.#options.onError)
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
