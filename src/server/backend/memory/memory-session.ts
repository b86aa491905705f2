import type { TimeoutQueue } from "../../../primitives/timeout-queue.js";
import type { ServerSettings } from "../../options.js";
import { invalidArguments, WireError } from "../../wire-error.js";
import type { Entry, Move, OpenExchange, Session, SetOutcome, SetWish } from "../backend.js";
import type { AccountKey } from "./account-key.js";
import type { SetDecision } from "./idempotency.js";
import type { MemoryEngine } from "./memory-engine.js";
import type { Positions } from "./positions.js";
import { Producers } from "./producers.js";

export interface MemorySessionOptions {
  readonly id: string;
  readonly key: AccountKey;
  /** Address that the session is bound to. */
  readonly peer: string;
  /** Where it starts to read: shared, where the sessions of a key continue one another. */
  readonly positions: Positions;
  readonly engine: MemoryEngine;
  /** How long a set waits for its predecessors. */
  readonly earlySets: TimeoutQueue;
  readonly settings: Pick<ServerSettings, "clock" | "limits" | "bounds">;
}

const LATE: SetOutcome = { kind: "late" };
const PAST: SetOutcome = { kind: "past" };

/** One login in the memory of the only process that knows it. */
export class MemorySession implements Session {
  readonly id: string;
  readonly key: AccountKey;
  readonly peer: string;
  readonly accountId: string;
  readonly openGets = new Set<OpenExchange>();
  /** The same for each request: nothing is made for it. */
  readonly entered: Entry = { kind: "entered", session: this };
  readonly #options: MemorySessionOptions;
  readonly #positions: Positions;
  /** Undefined until a set has a place: a session that only reads has none. */
  #producers: Producers | undefined;
  #lastUsedAtMs: number;
  /** Requests that are being answered: a session in use does not end. */
  #requests = 0;
  #isOver = false;

  constructor(options: MemorySessionOptions) {
    const { id, key, peer, positions, settings } = options;
    this.id = id;
    this.key = key;
    this.peer = peer;
    this.accountId = key.accountId;
    this.#options = options;
    this.#positions = positions;
    this.#lastUsedAtMs = settings.clock.now();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether nobody has used it for so long that it has ended. */
  isUnused(): boolean {
    const { clock, limits } = this.#options.settings;
    return this.#requests === 0 && clock.now() - this.#lastUsedAtMs > limits.sessionIdleMsMax;
  }

  /** Notes that it was asked for. */
  use(): void {
    this.#lastUsedAtMs = this.#options.settings.clock.now();
    this.key.use();
  }

  /** A request begins, and leaves in the end. */
  enter(): void {
    this.#requests += 1;
  }

  leave(): void {
    this.#requests -= 1;
    this.#lastUsedAtMs = this.#options.settings.clock.now();
  }

  /** Ends, cleanly, what it has open. */
  end(): void {
    this.#isOver = true;
    for (const exchange of [...this.openGets]) exchange.finish();
    this.#producers?.close();
  }

  positions(): ReadonlyMap<string, number> {
    return this.#positions.sequences;
  }

  /** Between a look at the positions and this call nobody else has had a turn. */
  move(moves: readonly Move[]): true {
    for (const { portalId, to } of moves) this.#positions.moveTo(portalId, to);
    return true;
  }

  /** Forgets positions that have not moved for so long, in ms. */
  forgetUnmoved(forMs: number): void {
    this.#positions.forgetUnmoved(forMs, this.#options.settings.clock.now());
  }

  set(wish: SetWish, onDecided: (outcome: SetOutcome) => void): void {
    const { order } = wish;
    if (order === undefined) {
      onDecided(this.#decide(wish));
      return;
    }
    const { settings, earlySets } = this.#options;
    this.#producers ??= new Producers(settings.bounds, earlySets);
    const places = this.#producers.placesFor(order);
    if (places instanceof WireError) {
      onDecided({ kind: "refused", error: places });
      return;
    }
    places.enter(order.number, {
      run: () => {
        const outcome = this.#decide(wish);
        onDecided(outcome);
        if (outcome.kind === "applied") places.applied();
        else if (outcome.kind === "refused") places.refused();
        else places.released();
      },
      past: () => onDecided(this.#answerAgain(wish)),
      late: () => onDecided(LATE),
    });
  }

  /** Decides a set, or finds how its key was decided before. */
  #decide(wish: SetWish): SetOutcome {
    const { idempotencyKey } = wish;
    if (idempotencyKey === undefined) return this.#store(wish);
    const { idempotency } = this.key.account;
    const fingerprint = wish.fingerprint();
    const known = idempotency.find(idempotencyKey, fingerprint);
    if (known === "conflict") return { kind: "refused", error: keyConflict() };
    if (known !== undefined) return repeated(known);
    const outcome = this.#store(wish);
    if (outcome.kind !== "failed") idempotency.keep(idempotencyKey, fingerprint, outcome);
    return outcome;
  }

  /** A number that was used before: the original answer if its key is still known. */
  #answerAgain(wish: SetWish): SetOutcome {
    const { idempotencyKey } = wish;
    if (idempotencyKey === undefined) return PAST;
    const known = this.key.account.idempotency.find(idempotencyKey, wish.fingerprint());
    return known === undefined || known === "conflict" ? PAST : repeated(known);
  }

  /** All items are stored, or none. */
  #store(wish: SetWish): SetDecision | { readonly kind: "failed"; readonly error: unknown } {
    try {
      const items = wish.items();
      const serverTimestamp = this.#options.engine.append(this.accountId, items);
      return { kind: "applied", serverTimestamp, itemCount: items.length, isRepeat: false };
    } catch (error) {
      const isRefused = error instanceof WireError && error.status === 400;
      return isRefused ? { kind: "refused", error } : { kind: "failed", error };
    }
  }
}

const repeated = (decision: SetDecision): SetOutcome =>
  decision.kind === "applied" ? { ...decision, isRepeat: true } : decision;

const keyConflict = (): WireError =>
  invalidArguments("Idempotency-Key: this key was used with another body");
