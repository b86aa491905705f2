/** Asks all cases of a target. */

import type { Case } from "./case.js";
import { CASES } from "./cases/index.js";
import { Common, Stage } from "./stage.js";
import { type Target, whyNotAsked } from "./target.js";
import { Budget } from "./wire.js";

export type Result =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "not asked"; readonly why: string };

/** Cases that are under way at a time, where each has an account of its own. */
const CONCURRENT = 16;

/** How often a case about time is asked at most, where the machine was too slow for the server's short times. */
const ATTEMPTS_MAX = 3;

/** One run of the suite. */
export class Run {
  readonly #target: Target;
  readonly #common: Common;
  readonly #results = new Map<string, Promise<Result>>();
  readonly #budget: Budget;
  readonly #over: Promise<unknown>;

  /** Starts asking. */
  constructor(target: Target, cases: readonly Case[] = CASES) {
    this.#target = target;
    this.#budget = new Budget(target.requestsMax);
    this.#common = new Common(this.#budget);
    // Those that wait come first, so that the others fill their time.
    const sorted = cases.toSorted(
      (a, b) => Number(b.isHasty === true) - Number(a.isHasty === true),
    );
    const queue = sorted.map((asked) => ({ asked, settle: this.#expect(asked.name) }));
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        next.settle(await this.#ask(next.asked));
      }
    };
    const lanes = target.freshAccount === undefined ? 1 : CONCURRENT;
    this.#over = Promise.all(Array.from({ length: lanes }, work));
  }

  get requests(): number {
    return this.#budget.used;
  }

  result(name: string): Promise<Result> {
    return this.#results.get(name) ?? Promise.resolve({ kind: "not asked", why: "unknown" });
  }

  /** Resolves when every case is over. */
  async close(): Promise<void> {
    await this.#over;
    this.#common.close();
  }

  /** Makes room for a result. @returns what takes it */
  #expect(name: string): (result: Result) => void {
    let settle: ((result: Result) => void) | undefined;
    const result = new Promise<Result>((resolve) => {
      settle = resolve;
    });
    this.#results.set(name, result);
    return (value) => settle?.(value);
  }

  async #ask(asked: Case): Promise<Result> {
    const why = whyNotAsked(asked, this.#target);
    if (why !== undefined) return { kind: "not asked", why };
    for (let attempt = 1; ; attempt += 1) {
      const stage = new Stage(this.#target, this.#common, asked.isHasty === true);
      try {
        await asked.run(stage);
        return { kind: "passed" };
      } catch (error) {
        const isSpoilt = asked.isHasty === true && stage.isTooSlow;
        if (!isSpoilt || attempt === ATTEMPTS_MAX) return { kind: "failed", error };
      }
    }
  }
}
