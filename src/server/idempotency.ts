import type { Clock } from "../primitives/clock.js";
import type { WireError } from "./wire-error.js";

/** How a set was decided: applied at a server timestamp, or refused for its content. */
export type SetDecision =
  | { readonly kind: "applied"; readonly serverTimestamp: number }
  | { readonly kind: "refused"; readonly error: WireError };

/** What to do with a set that bears a key. */
export type Claim =
  /** Nobody used this key: decide the set, then settle the key. */
  | { readonly kind: "new" }
  /** Decided before: here is how. */
  | { readonly kind: "known"; readonly decision: SetDecision }
  /** The same key with the same body is being decided right now: the callback hears of it, or of its failure. */
  | { readonly kind: "pending" }
  /** The same key with another body. */
  | { readonly kind: "conflict" };

type OnSettled = (decision: SetDecision | undefined) => void;

interface Entry {
  readonly bodyHash: string;
  readonly seenAtMs: number;
  decision: SetDecision | undefined;
  readonly waiting: OnSettled[];
}

/** The idempotency keys of one account that are still honoured: as long as their time lasts, and at most so many. */
export class IdempotencyKeys {
  readonly #keysMax: number;
  readonly #keepMs: number;
  readonly #clock: Pick<Clock, "now">;
  /** In the order of their age, as each is inserted once. */
  readonly #entries = new Map<string, Entry>();

  constructor(keysMax: number, keepMs: number, clock: Pick<Clock, "now">) {
    this.#keysMax = keysMax;
    this.#keepMs = keepMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Looks a key up; one that is new becomes pending until it is settled. */
  claim(key: string, bodyHash: string, onSettled: OnSettled): Claim {
    this.#forgetOld();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const seenAtMs = this.#clock.now();
      this.#entries.set(key, { bodyHash, seenAtMs, decision: undefined, waiting: [] });
      return { kind: "new" };
    }
    if (entry.bodyHash !== bodyHash) return { kind: "conflict" };
    if (entry.decision !== undefined) return { kind: "known", decision: entry.decision };
    entry.waiting.push(onSettled);
    return { kind: "pending" };
  }

  /** The decision that a key stands for, if it is known and the body is the same; nothing is claimed. */
  peek(key: string, bodyHash: string): SetDecision | undefined {
    this.#forgetOld();
    const entry = this.#entries.get(key);
    return entry?.bodyHash === bodyHash ? entry.decision : undefined;
  }

  /** Ends a claim: with how the set was decided, or with undefined when it was not, and the key is free again. */
  settle(key: string, decision: SetDecision | undefined): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (decision === undefined) this.#entries.delete(key);
    entry.decision = decision;
    for (const onSettled of entry.waiting.splice(0)) onSettled(decision);
  }

  #forgetOld(): void {
    const before = this.#clock.now() - this.#keepMs;
    for (const [key, entry] of this.#entries) {
      const isPending = entry.decision === undefined;
      if (isPending || (entry.seenAtMs > before && this.#entries.size < this.#keysMax)) return;
      this.#entries.delete(key);
    }
  }
}
