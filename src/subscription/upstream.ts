/**
 * One request for several portals that follows upon itself, and hands what it brings to their members.
 *
 * Another request follows when: a turn ended with data (at once; the turn itself and the rate limit pace it); a turn
 * ended without (at once if it lasted, else paced by `EMPTY_PACE`); a turn failed (paced by the failure streak); the
 * session was refused (paced by the session, which then answers by itself); the portals changed (paced by `REPLAN_MS`).
 */

import { isXrtcError, XrtcError } from "../errors.js";
import { sleep, type Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import { FailureStreak } from "../primitives/failure-streak.js";
import type { Random } from "../primitives/random.js";
import type { MalformedItem, ReceivedLine } from "../protocol/codec.js";
import type { GetRequest, Item, Mode } from "../protocol/item.js";
import type { ClientStatus } from "../status.js";
import type { Leases } from "./leases.js";
import type { Reading } from "./plan.js";
import type { Portal } from "./portal.js";
import type { TurnFacts } from "./portal-reader.js";

export interface SourceLogin extends TurnFacts {
  readonly extensions: ReadonlySet<string>;
  /** UNIX ms of the server's clock. */
  serverNow(): number;
}

export interface SourceTurn {
  readonly login: SourceLogin;
  readonly lines: AsyncIterable<ReceivedLine>;
}

/** Where items come from. */
export interface ItemSource {
  login(signal: AbortSignal): Promise<SourceLogin>;
  get(
    mode: Mode,
    request: (login: SourceLogin) => GetRequest,
    signal: AbortSignal,
  ): Promise<SourceTurn>;
  /** Tells that reading failed. @returns in how many ms it may be tried again */
  troubled(cause: XrtcError, failures: number, backoff: number): number;
}

export interface UpstreamOptions {
  readonly source: ItemSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly leases: Leases;
  readonly reading: Reading;
  /** Milliseconds that a get of the service stays open. */
  readonly getTimeoutMs: number;
}

/** Milliseconds in which changes of the portals are gathered into one request. */
const REPLAN_MS = 15;
/** A stream that ends sooner than this share of the get timeout was ended by something else. */
const EARLY_SHARE = 0.9;
/** Milliseconds beyond the get timeout that a request which was given up may be answered. */
const DANGLING_MARGIN_MS = 1_000;
/** Pace of turns that end early with nothing, again and again: at most 25 in the first minute, then 12 a minute. */
const EMPTY_COUNT = 10;
const EMPTY_MS_MIN = 5_000;
const EMPTY_PACE = { delayMsFirst: 500, delayMsMaxEarly: 6_000, delayMsMax: 10_000 };

/** The turn is given up because the next one asks for something else. */
class Replan extends Error {
  override readonly name = "Replan";
}

export class Upstream {
  readonly reading: Reading;
  readonly #options: UpstreamOptions;
  readonly #portals = new Map<string, Portal>();
  readonly #streak: FailureStreak;
  readonly #emptyStreak: FailureStreak;
  readonly #ended = new AbortController();
  #turn: { readonly deadline: Deadline; login: SourceLogin | undefined } | undefined;
  /** Whether the last turn failed: then only the head of an answer says that all is well again. */
  #failing = false;
  /** Whether the present turn has brought repeats. */
  #hasRepeated = false;
  #running: Promise<void> | undefined;
  #cancelReplan: (() => void) | undefined;

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
    if (this.isEmpty) this.#turn?.deadline.abort(new Replan());
    else this.replan();
  }

  /**
   * The next turn asks for something else: it begins at once where the server numbers its items, because then nothing
   * is lost or repeated by giving this one up. Elsewhere it begins when this one ends, within the get timeout.
   */
  replan(): void {
    if (this.#cancelReplan !== undefined) return;
    this.#cancelReplan = this.#options.clock.schedule(REPLAN_MS, () => {
      this.#cancelReplan = undefined;
      const turn = this.#turn;
      if (turn?.login?.extensions.has("seq")) turn.deadline.abort(new Replan());
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
        if (wait > 0) await sleep(clock, wait, ended);
      }
    } catch (thrown) {
      if (!ended.aborted) throw thrown;
    } finally {
      this.#running = undefined;
    }
  }

  /** One turn. @returns how many ms to wait before the next */
  async #next(): Promise<number> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    const deadline = new Deadline(clock, this.#ended.signal);
    const { signal } = deadline;
    this.#turn = { deadline, login: undefined };
    try {
      await this.#prepare(signal);
      const delivered = await this.#read(signal);
      this.#streak.succeed(clock.now());
      const early = clock.now() - startedAt < this.#options.getTimeoutMs / 2;
      return early && !delivered ? this.#emptyWait() : 0;
    } catch (thrown) {
      if (this.#ended.signal.aborted) throw thrown;
      return thrown instanceof Replan ? 0 : this.#failed(asFailure(thrown));
    } finally {
      deadline.dispose();
      this.#turn = undefined;
    }
  }

  #emptyWait(): number {
    const wait = this.#emptyStreak.fail(this.#options.clock.now());
    return this.#emptyStreak.failures < EMPTY_COUNT ? wait : Math.max(wait, EMPTY_MS_MIN);
  }

  /** A portal of which only new items are wanted needs to know what is old. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    for (const portal of this.#portals.values()) portal.begin();
    const unplaced = [...this.#portals.values()].filter((portal) => portal.needsPlace);
    if (unplaced.length === 0) return;
    const login = await source.login(signal);
    if (!login.extensions.has("seq")) {
      for (const portal of unplaced) {
        portal.place({ kind: "since", serverTimestamp: login.serverNow() });
      }
      return;
    }
    const listing = await source.get("probe", () => LISTING, signal);
    const latest = new Map<string, Item>();
    for await (const line of listing.lines) {
      for (const item of line.items) latest.set(item.portalId, item);
    }
    for (const portal of unplaced) {
      const place = latest.get(portal.portalId);
      if (place === undefined) portal.place({ kind: "since", serverTimestamp: 1 });
      else portal.place({ kind: "after", place, epoch: listing.login.epoch });
    }
  }

  /** @returns whether anything new came */
  async #read(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#lease(signal);
    const portals = [...this.#portals.values()].filter(
      (portal) => !portal.needsPlace && lease.taken.has(portal.portalId),
    );
    try {
      return portals.length > 0 && (await this.#readLeased(portals, signal));
    } finally {
      lease.release();
    }
  }

  /** Takes what no other request reads, and waits until there is any. */
  async #lease(signal: AbortSignal): Promise<ReturnType<Leases["take"]>> {
    const { leases } = this.#options;
    const wanted = [...this.#portals.keys()];
    const lease = leases.take(wanted);
    const missing = wanted.filter((portalId) => !lease.taken.has(portalId));
    for (const portalId of missing) leases.onceFree(portalId, () => this.replan());
    const [first] = missing;
    if (lease.taken.size > 0 || first === undefined) return lease;
    await abortable(new Promise<void>((resolve) => leases.onceFree(first, resolve)), signal);
    return this.#lease(signal);
  }

  async #readLeased(portals: readonly Portal[], signal: AbortSignal): Promise<boolean> {
    const { source, reading, clock } = this.#options;
    let sentAt = clock.now();
    const request = (login: SourceLogin): GetRequest => {
      sentAt = clock.now();
      if (this.#turn !== undefined) this.#turn.login = login;
      const asked = this.#request(portals, login);
      // The head of the answer may come only with the first item.
      if (!this.#failing) report(portals, { kind: "connected" });
      return asked;
    };
    const turn = await source.get(reading.mode, request, signal).catch((thrown: unknown) => {
      // What may have reached the service may have moved the session's position.
      if (!(isXrtcError(thrown) && thrown.outcome === "fail")) this.#abandon(portals);
      throw thrown;
    });
    for (const portal of portals) if (this.#isOwn(portal)) portal.turnStarted(turn.login);
    this.#failing = false;
    // Those that came meanwhile, or that another request holds, are not read yet.
    report(portals, { kind: "connected" });
    const read = new Set(portals);
    this.#hasRepeated = false;
    let whole = false;
    let delivered = false;
    try {
      for await (const line of turn.lines) {
        if (this.#deliver(line, read)) delivered = true;
        await this.#untilRoom(signal);
      }
      whole = true;
    } finally {
      if (whole) this.#endWhole(portals, sentAt);
      else this.#abandon(portals);
    }
    return delivered;
  }

  /**
   * An answer ended as it should. That proves little: a stream that ended before its time may have been cut between two
   * lines, and a request that was given up may have taken items from the position meanwhile. Even where items are
   * numbered, what was in them would only be missed when the next item comes.
   */
  #endWhole(portals: readonly Portal[], sentAt: number): void {
    const { reading, clock, getTimeoutMs } = this.#options;
    const isEarly = reading.mode === "stream" && clock.now() - sentAt < getTimeoutMs * EARLY_SHARE;
    for (const portal of portals) {
      // Of one that left for another upstream, this turn's items were passed over.
      if (this.#isOwn(portal)) {
        portal.turnEnded(!isEarly && !portal.wasShared(sentAt), this.#hasRepeated);
      }
    }
  }

  #isOwn(portal: Portal): boolean {
    return this.#portals.get(portal.portalId) === portal;
  }

  /** What may have reached the service may have moved the session's position, and may go on moving it. */
  #abandon(portals: readonly Portal[]): void {
    const { clock, getTimeoutMs } = this.#options;
    for (const portal of portals) {
      if (this.#isOwn(portal)) portal.turnEnded(false);
      portal.abandoned(clock.now() + getTimeoutMs + DANGLING_MARGIN_MS);
    }
  }

  #request(portals: readonly Portal[], login: SourceLogin): GetRequest {
    const { mode, schedule, cutoffMs } = this.reading;
    return { portals: portals.map((portal) => portal.request(login)), mode, schedule, cutoffMs };
  }

  #deliver(line: ReceivedLine, read: ReadonlySet<Portal>): boolean {
    let delivered = false;
    for (const item of line.items) {
      // Another portal's items can only come from a service that errs, or for one that has just been left.
      const portal = this.#portals.get(item.portalId);
      // One that was left and is wanted anew begins with a request of its own, which goes back farther than this one.
      if (portal === undefined || !read.has(portal)) continue;
      const acceptance = portal.deliver(item);
      if (acceptance === "reread") throw new Replan();
      if (acceptance === "new") delivered = true;
      else this.#hasRepeated = true;
    }
    for (const malformed of line.malformed) this.#reportMalformed(malformed);
    return delivered;
  }

  #reportMalformed({ portalId, reason }: MalformedItem): void {
    const named = portalId === undefined ? undefined : this.#portals.get(portalId);
    const error = new XrtcError("XRTC_ITEM_MALFORMED", `An item cannot be read: ${reason}`, {
      ...(portalId === undefined ? {} : { portalId }),
    });
    for (const portal of named === undefined ? this.#portals.values() : [named]) {
      portal.malformed(error);
      // One that names no portal is told once.
      if (named === undefined) return;
    }
  }

  /** When a member's queue is full, the socket is not read: the server's ring decides what is kept. */
  async #untilRoom(signal: AbortSignal): Promise<void> {
    for (const portal of this.#portals.values()) {
      const full = portal.fullMember();
      if (full !== undefined) await abortable(full.whenRoom(), signal);
    }
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
    report([...this.#portals.values()], status);
  }
}

function report(portals: readonly Portal[], status: ClientStatus): void {
  for (const portal of portals) portal.report(status);
}

const LISTING: GetRequest = { portals: [], mode: "probe", schedule: "FIFO", cutoffMs: -1 };

const asFailure = (thrown: unknown): XrtcError =>
  isXrtcError(thrown)
    ? thrown
    : new XrtcError("XRTC_RESPONSE_INVALID", "Reading failed in an unexpected way.", {
        retryable: true,
        cause: thrown,
      });
