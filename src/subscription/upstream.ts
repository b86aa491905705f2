/**
 * Turns that follow upon each other, for the portals that are read in one way.
 *
 * Another turn follows when: one ended with data (at once; the turn itself and the rate limit pace it); one ended
 * without (at once if it lasted, or brought what is old, up to `OLD_ANSWERS_MAX`; else paced by `EMPTY_PACE`); one
 * failed (paced by the failure streak); the session was refused (paced by the session, which then answers by itself);
 * the portals changed (paced by `REPLAN_MS`). Where probes are wanted, one without data is followed by the next at its
 * time (paced by `probeMs`), or when the portals changed.
 */

import { isXrtcError, XrtcError } from "../errors.js";
import { sleep } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import { Abort } from "../primitives/signal.js";
import type { ClientStatus } from "../status.js";
import type { Reading } from "./plan.js";
import type { Portal } from "./portal.js";
import { Replan, Turn, type TurnOptions } from "./turn.js";

export interface UpstreamOptions extends TurnOptions {
  readonly random: Random;
}

/** Milliseconds in which changes of the portals are gathered into one request. */
const REPLAN_MS = 15;
/** Pace of turns that end early with nothing, again and again: at most 25 in the first minute, then 12 a minute. */
const EMPTY_COUNT = 10;
const EMPTY_MS_MIN = 5_000;
/** Answers in a row, for each portal, that may bring only what is old without being paced: a ring's worth, in pieces. */
const OLD_ANSWERS_MAX = 100;
const EMPTY_PACE = { delayMsFirst: 500, delayMsMaxEarly: 6_000, delayMsMax: 10_000 };

export class Upstream {
  readonly reading: Reading;
  readonly #options: UpstreamOptions;
  readonly #portals = new Map<string, Portal>();
  readonly #streak: FailureStreak;
  readonly #emptyStreak: FailureStreak;
  readonly #ended = new Abort();
  #turn: Turn | undefined;
  /** Answers in a row that brought only what is old. */
  #oldAnswers = 0;
  /** Whether the last turn failed: then only the head of an answer says that all is well again. */
  #failing = false;
  #running: Promise<void> | undefined;
  #cancelReplan: (() => void) | undefined;
  /** The portals changed since the present turn began. */
  #isOutdated = false;
  /** The wait for the next probe, which a change of the portals ends. */
  #rest: Deadline | undefined;
  /** When the last probe was due (monotonic ms). */
  #probeAt: number | undefined;

  constructor(options: UpstreamOptions) {
    this.reading = options.reading;
    this.#options = options;
    this.#streak = new FailureStreak(options.random);
    this.#emptyStreak = new FailureStreak(options.random, EMPTY_PACE);
  }

  get isEmpty(): boolean {
    return this.#portals.size === 0;
  }

  add(portal: Portal): void {
    this.#portals.set(portal.portalId, portal);
    this.#running ??= this.#run();
    this.joined(portal);
  }

  /** Somebody joined one of the portals. What is new to them counts from now, if the server's time is known. */
  joined(portal: Portal): void {
    const login = this.#turn?.login;
    if (login !== undefined && !login.extensions.has("seq")) {
      portal.begin();
      if (portal.needsPlace) portal.place({ kind: "since", serverTimestamp: login.serverNow() });
    }
    this.replan();
  }

  remove(portalId: string): void {
    this.#portals.delete(portalId);
    // What else the turn brings for that portal has no reader here; somebody else may wait to read it.
    if (this.isEmpty) this.#turn?.giveUp();
    else this.replan();
  }

  /**
   * The next turn asks for something else: it begins at once where the server numbers its items, because then nothing
   * is lost or repeated by giving this one up. Elsewhere it begins when this one ends, within the get timeout.
   */
  replan(): void {
    this.#isOutdated = true;
    if (this.#cancelReplan !== undefined) return;
    this.#cancelReplan = this.#options.clock.schedule(REPLAN_MS, () => {
      this.#cancelReplan = undefined;
      if (this.#isOutdated) this.#rest?.abort(new Replan());
      if (this.#turn?.login?.extensions.has("seq")) this.#turn.giveUp();
    });
  }

  /** Resolves when the last turn has ended. */
  async close(): Promise<void> {
    this.#cancelReplan?.();
    this.#ended.abort(new XrtcError("XRTC_CLOSED", "The client is closed."));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const ended = this.#ended.signal;
    try {
      // Nodes of one deploy ask one after the other.
      await sleep(clock, REPLAN_MS, ended);
      while (!this.isEmpty) {
        const wait = await this.#next();
        if (wait === "probe") await this.#untilProbe();
        else if (wait > 0) await sleep(clock, wait, ended);
      }
    } catch (thrown) {
      if (!ended.aborted) throw thrown;
    } finally {
      this.#running = undefined;
    }
  }

  /** Rests until the next probe is due, or somebody needs one sooner. */
  async #untilProbe(): Promise<void> {
    const { clock } = this.#options;
    const { probeMs = 0 } = this.reading;
    if (this.#isOutdated) return;
    const now = clock.now();
    const probeAt = this.#probeAt ?? now;
    // Those whose time passed meanwhile are not made up for.
    const next = probeAt + probeMs * (1 + Math.max(0, Math.floor((now - probeAt) / probeMs)));
    const rest = new Deadline(clock, this.#ended.signal);
    this.#rest = rest;
    try {
      await sleep(clock, next - now, rest.signal);
      this.#probeAt = next;
    } catch (thrown) {
      if (!(thrown instanceof Replan)) throw thrown;
    } finally {
      this.#rest = undefined;
      rest.dispose();
    }
  }

  /** One turn. @returns how many ms to wait before the next, or that it comes when a probe is due */
  async #next(): Promise<number | "probe"> {
    const { clock, getTimeoutMs } = this.#options;
    const startedAt = clock.now();
    this.#probeAt ??= startedAt;
    this.#isOutdated = false;
    const turn = new Turn(this.#options, {
      portals: this.#portals,
      isTrusted: !this.#failing,
      parent: this.#ended.signal,
      // What changed before the login was known, and whether this turn may be given up, is seen to now.
      onRequest: () => {
        if (this.#isOutdated) this.replan();
      },
      onAnswer: () => {
        this.#failing = false;
      },
      onFree: () => this.replan(),
    });
    this.#turn = turn;
    try {
      const delivered = await turn.run();
      this.#streak.succeed(clock.now());
      const early = clock.now() - startedAt < getTimeoutMs / 2;
      if (!early || delivered) {
        this.#oldAnswers = 0;
        return 0;
      }
      // What is new may stand behind it.
      if (turn.itemCount > 0) this.#oldAnswers += 1;
      const oldMax = OLD_ANSWERS_MAX * this.#portals.size;
      const isBehind = turn.itemCount > 0 && this.#oldAnswers <= oldMax;
      if (isBehind) return 0;
      if (this.reading.mode !== "probe") return this.#emptyWait();
      this.#oldAnswers = 0;
      return "probe";
    } catch (thrown) {
      if (this.#ended.signal.aborted) throw thrown;
      return thrown instanceof Replan ? 0 : this.#failed(asFailure(thrown));
    } finally {
      this.#turn = undefined;
    }
  }

  #emptyWait(): number {
    const wait = this.#emptyStreak.fail(this.#options.clock.now());
    return this.#emptyStreak.failures < EMPTY_COUNT ? wait : Math.max(wait, EMPTY_MS_MIN);
  }

  #failed(cause: XrtcError): number {
    const { clock, source } = this.#options;
    const backoff = Math.max(this.#streak.fail(clock.now()), cause.retryAfterMs ?? 0);
    const { failures } = this.#streak;
    this.#failing = true;
    const wait = source.troubled(cause, failures, backoff);
    this.#report(
      cause.retryable
        ? { kind: "waiting", cause, failures, retryInMs: wait }
        : { kind: "refused", cause, retryInMs: wait },
    );
    return wait;
  }

  #report(status: ClientStatus): void {
    for (const portal of this.#portals.values()) portal.report(status);
  }
}

const asFailure = (thrown: unknown): XrtcError =>
  isXrtcError(thrown)
    ? thrown
    : new XrtcError("XRTC_RESPONSE_INVALID", "Reading failed in an unexpected way.", {
        retryable: true,
        cause: thrown,
      });
