import type { Clock } from "../../../primitives/clock.js";
import type { SetOutcome } from "../backend.js";

/** How a set was decided: applied at a server timestamp, or refused for its content. */
export type SetDecision = Extract<SetOutcome, { readonly kind: "applied" | "refused" }>;

interface Entry {
  readonly bodyHash: string;
  readonly seenAtMs: number;
  readonly decision: SetDecision;
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

  /** The decision that a key stands for, if it is known and the body is the same. */
  find(key: string, bodyHash: string): SetDecision | "conflict" | undefined {
    this.#forgetOld();
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    return entry.bodyHash === bodyHash ? entry.decision : "conflict";
  }

  /** Notes how the set with this key, which was not known, was decided. */
  keep(key: string, bodyHash: string, decision: SetDecision): void {
    this.#entries.set(key, { bodyHash, seenAtMs: this.#clock.now(), decision });
  }

  /** Makes room for one more, too. */
  #forgetOld(): void {
    const before = this.#clock.now() - this.#keepMs;
    for (const [key, { seenAtMs }] of this.#entries) {
      if (seenAtMs > before && this.#entries.size < this.#keysMax) return;
      this.#entries.delete(key);
    }
  }
}
