/** Deliberate bugs: each is a patch to a copy of the sources, and the simulation has to find it. */

export interface Mutant {
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly search: string;
  readonly replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no spacing between logins",
    file: "session/login-pace.ts",
    search: "this.#intervalMs = loginIntervalMsMin + LOGIN_MARGIN_MS;",
    replace: "this.#intervalMs = 0 * loginIntervalMsMin + 0 * LOGIN_MARGIN_MS;",
  },
  {
    name: "what is not newer than the last item is dropped",
    file: "subscription/portal-reader.ts",
    search: "if (this.#isBeforeStart(item) || this.#isRepeat(item)) return REPEAT;",
    replace:
      "if (this.#last !== undefined && item.serverTimestamp <= this.#last.serverTimestamp) return REPEAT;\n    if (this.#isBeforeStart(item) || this.#isRepeat(item)) return REPEAT;",
  },
  {
    name: "an unknown set is repeated although at most once was asked for",
    file: "writer/retry.ts",
    search: 'const mayRepeat = level === "atLeastOnce" || failure.outcome === "fail";',
    replace: "const mayRepeat = level.length > 0;",
  },
  {
    name: "a last line that was cut is swallowed",
    file: "client/item-api.ts",
    search: "if (!isBlank(rest)) yield this.#decode(rest, login);",
    replace: "isBlank(rest);",
  },
  {
    name: "a late denial of an older login is obeyed",
    file: "session/login-keeper.ts",
    search: "if (held?.generation !== login.generation) return;",
    replace: "if (held === undefined) return;\n    login = held;",
  },
  {
    name: "repeats are known without counting them",
    file: "subscription/delivered-history.ts",
    search: "if (replayed >= (this.#delivered.get(key) ?? 0)) return false;",
    replace: "if (!this.#delivered.has(key)) return false;",
  },
  {
    name: "nothing is asked for again after a cut",
    file: "subscription/portal-reader.ts",
    search: "this.#suspect = !whole;",
    replace: "this.#suspect = false;",
  },
  {
    name: "each attempt has a key of its own",
    file: "writer/batch.ts",
    search: "idempotencyKey: this.#idempotencyKey,",
    replace: "idempotencyKey: `${this.#idempotencyKey}.${this.#attempts}`,",
  },
  {
    name: "places are not numbered anew under a new login",
    file: "writer/lane.ts",
    search: "if (this.#lane?.generation !== generation) {",
    replace: "if (this.#lane === undefined) {",
  },
  {
    name: "several sets are in flight where nobody keeps their order",
    file: "client/item-api.ts",
    search: "return isOrdered(this.#session.extensions) ? ORDERED_WINDOW : 1;",
    replace: "return ORDERED_WINDOW;",
  },
  {
    name: "a gap is not announced",
    file: "subscription/portal.ts",
    search:
      'if (acceptance.kind === "new" && acceptance.gap !== undefined) this.#tell(acceptance.gap);',
    replace: "",
  },
  {
    name: "the place is kept over the server's loss of memory",
    file: "subscription/portal-reader.ts",
    search: "const lostMemory = this.#last !== undefined && login.epoch !== this.#epoch;",
    replace: "const lostMemory = false as boolean;",
  },
  {
    name: "the pace of retries does not fall",
    file: "primitives/backoff.ts",
    search: "delayMsFirst * 2 ** Math.min(failures - 1, 20)",
    replace: "delayMsFirst * 0.1 ** Math.min(failures, 1)",
  },
  {
    name: "Retry-After is ignored",
    file: "session/session.ts",
    search: "if (askedMs !== undefined) this.#admission.hold(askedMs);",
    replace: "void askedMs;",
  },
  {
    name: "the queue has no bound",
    file: "writer/write-queue.ts",
    search: "return this.#count >= queueCountMax || this.#bytes + write.bytes > queueBytesMax;",
    replace: "return queueCountMax < 0 || this.#bytes + write.bytes > queueBytesMax;",
  },
  {
    name: "a half of a refused batch is dropped",
    file: "writer/writer.ts",
    search: "this.#halves.unshift(...halves);",
    replace: "this.#halves.unshift(...halves.slice(1));",
  },
  {
    name: "a set has no deadline",
    file: "client/item-api.ts",
    search: "call.sent();\n",
    replace: "call.sent();\n          if (body.length > 0) return;\n",
  },
  {
    name: "a session that rested is taken for alive",
    file: "session/login-keeper.ts",
    search: "if (restedMs <= this.#options.limits.sessionIdleMsMax - IDLE_MARGIN_MS) return held;",
    replace: "if (restedMs >= 0 * IDLE_MARGIN_MS) return held;",
  },
  {
    name: "a set is confirmed before its answer",
    file: "writer/writer.ts",
    search: "    this.#inFlight.splice(place, 0, batch);\n",
    replace: "    this.#inFlight.splice(place, 0, batch);\n    this.#confirm(batch, 1, true);\n",
  },
  {
    name: "a replay is taken for over too early",
    file: "subscription/portal-reader.ts",
    search: "this.#replaying = this.#history.endTurn(this.#replaying && repeats);",
    replace: "this.#history.endTurn(false);\n    this.#replaying = false;",
  },
  {
    name: "a portal is read by two requests",
    file: "subscription/leases.ts",
    search: "const taken = new Set(portalIds.filter((portalId) => !this.#held.has(portalId)));",
    replace: "const taken = new Set(portalIds);",
  },
  {
    name: "retries are sent at the rate of sets alone",
    file: "primitives/rate-limiter.ts",
    search: "return passed.length < passed.capacity ? 0 : passed.at(0) + this.#windowMs - now;",
    replace: "return 0;",
  },
];
