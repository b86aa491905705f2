/** Deliberate bugs: each is a patch to a copy of the sources, and the simulation has to find it. */

import type { Patch } from "./farm.js";

/** What it searches for is as short as can be, so that it lasts. */
export interface Mutant extends Patch {
  readonly name: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no spacing between logins",
    file: "session/login-pace.ts",
    search: "= loginIntervalMsMin + LOGIN_MARGIN_MS",
    replace: "= 0 * (loginIntervalMsMin + LOGIN_MARGIN_MS)",
  },
  {
    name: "what is not newer than the last item is dropped",
    file: "subscription/portal-reader.ts",
    search: "accept(item: Item): Acceptance {",
    replace:
      "accept(item: Item): Acceptance {\n    if (item.serverTimestamp <= (this.#last?.serverTimestamp ?? 0)) return REPEAT;",
  },
  {
    name: "an unknown set is repeated although at most once was asked for",
    file: "writer/retry.ts",
    search: 'level === "atLeastOnce" ||',
    replace: "level.length > 0 ||",
  },
  {
    name: "a last line that was cut is swallowed",
    file: "client/lines.ts",
    search: "[this.#splitter.rest()]",
    replace: "[]",
  },
  {
    name: "a late denial of an older login is obeyed",
    file: "session/login-keeper.ts",
    search: "if (held?.generation !== login.generation) return;",
    replace: "if (held === undefined) return;",
  },
  {
    name: "repeats are known without counting them",
    file: "subscription/delivered-history.ts",
    search: "if (replayed >= delivered)",
    replace: "if (delivered === 0)",
  },
  {
    name: "nothing is asked for again after a cut",
    file: "subscription/portal-reader.ts",
    search: "this.#suspect = !whole;",
    replace: "this.#suspect = false;",
  },
  {
    name: "what is asked for again begins a moment too late",
    file: "subscription/portal-reader.ts",
    search: ".serverTimestamp - 1",
    replace: ".serverTimestamp + 1",
  },
  {
    name: "each attempt has a key of its own",
    file: "writer/batch.ts",
    search: "idempotencyKey: this.#idempotencyKey,",
    replace: "idempotencyKey: `${this.#idempotencyKey}.${this.#attempts}`,",
  },
  {
    name: "a key that was used before is not known again",
    file: "server/backend/memory/idempotency.ts",
    search: "if (entry === undefined)",
    replace: 'if (entry?.bodyHash !== "")',
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
    search: "? ORDERED_WINDOW : 1",
    replace: "? ORDERED_WINDOW : ORDERED_WINDOW",
  },
  {
    name: "a gap is not announced",
    file: "subscription/portal.ts",
    search: "this.#tell(reader, acceptance.gap);",
    replace: "",
  },
  {
    name: "the place is kept over the server's loss of memory",
    file: "subscription/portal-reader.ts",
    search: "isKnown && login.epoch !== this.#epoch",
    replace: "false as boolean",
  },
  {
    name: "the pace of retries does not fall",
    file: "primitives/backoff.ts",
    search: "delayMsFirst * 2 ** Math.min(failures - 1, 20)",
    replace: "delayMsFirst * 0.1 ** Math.min(failures, 1)",
  },
  {
    name: "Retry-After is ignored",
    file: "session/admission.ts",
    search: "hold(ms: number): void {",
    replace: "hold(ms: number): void {\n    if (ms > 0) return;",
  },
  {
    name: "the queue has no bound",
    file: "writer/write-queue.ts",
    search: "this.#count >= queueCountMax",
    replace: "queueCountMax < 0",
  },
  {
    name: "a half of a refused batch is never sent",
    file: "writer/window.ts",
    search: "for (const half of halves) this.#start",
    replace: "for (const half of halves.slice(1)) this.#start",
  },
  {
    name: "a set has no deadline",
    file: "client/item-api.ts",
    search: "call.within(requestTimeoutMs,",
    replace: "if (body.length < 0) call.within(requestTimeoutMs,",
  },
  {
    name: "a stream may be silent for ever",
    file: "client/watchdog.ts",
    search: "if (since === undefined) return;",
    replace: "if (since === undefined || this.#totalMs > 10_000) return;",
  },
  {
    name: "a session that rested is taken for alive",
    file: "session/login-keeper.ts",
    search: "if (restedMs <= this",
    replace: "if (restedMs >= 0 || restedMs <= this",
  },
  {
    name: "a set is confirmed before its answer",
    file: "writer/window.ts",
    search: "this.#batches.push(batch);",
    replace:
      "this.#batches.push(batch);\n    const early = { serverTimestamp: 1, attempts: 1, duplicatePossible: true };\n    for (const write of writes) confirm(write, early);",
  },
  {
    name: "that a set may be there twice is not said",
    file: "writer/window.ts",
    search: "batch.isPerhapsTwice(end.answer, clock)",
    replace: "false",
  },
  {
    name: "a set that may have been stored is told to have failed",
    file: "writer/retry.ts",
    search: '{ outcome: "unknown", attempts',
    replace: '{ outcome: "fail", attempts',
  },
  {
    name: "a replay is taken for over too early",
    file: "subscription/portal-reader.ts",
    search: "if (repeats || !isPresent) return;",
    replace: "",
  },
  {
    name: "a portal is read by two requests",
    file: "subscription/leases.ts",
    search: ".filter((portalId) => !this.#held.has(portalId))",
    replace: "",
  },
  {
    name: "a get takes items from a stream",
    file: "client/portal-access.ts",
    search: "leases.isHeldByCaller(id) || hub.reads(id)",
    replace: "id.length === 0",
  },
  {
    name: "retries are sent at the rate of sets alone",
    file: "primitives/rate-limiter.ts",
    search: "passed.length < passed.capacity ? 0",
    replace: "passed.length >= 0 ? 0",
  },
];
