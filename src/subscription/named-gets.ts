/**
 * Gets that have a place of their own, by name: each brings what is new since the last one of its name, whoever else
 * reads the portal. What a stream reads already is taken from what that brings; the rest is asked for.
 *
 * Another request of one get follows only when an answer brought nothing but what is known, up to `OLD_ANSWERS_MAX`.
 */

import { XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import { Abort, type Signal } from "../primitives/signal.js";
import type { MalformedItem } from "../protocol/codec.js";
import type { GetRequest, Item, Schedule } from "../protocol/item.js";
import type { Hub } from "./hub.js";
import type { Lease, Leases } from "./leases.js";
import { Place, type Arrival } from "./place.js";
import type { Gap } from "./portal-reader.js";
import type { ItemSource, SourceTurn } from "./source.js";

export interface NamedGetsOptions {
  readonly source: ItemSource;
  readonly hub: Hub;
  readonly leases: Leases;
  readonly clock: Clock;
  /** Milliseconds that a get of the service stays open. */
  readonly getTimeoutMs: number;
}

/** What one get is to bring. */
export interface NamedGet {
  readonly name: string;
  readonly portalIds: readonly string[];
  readonly mode: "probe" | "watch";
  readonly schedule: Schedule;
  readonly cutoffMs: number;
  readonly onMalformed: (malformed: MalformedItem) => void;
  /** What came from a stream, and had to make room for what is newer. */
  readonly onGap: (gap: Gap) => void;
}

/** Milliseconds that a get waits for its turn at a portal. */
const TURN_MS_MAX = 60_000;
/** Milliseconds that a get waits for a probe that others make. */
const PROBE_MS_MAX = 15_000;
/** Places that are kept; the one that was used least lately goes. */
const PLACES_MAX = 1_000;
/** Answers in a row that may bring only what is known: a ring's worth, in pieces. */
const OLD_ANSWERS_MAX = 100;
const LISTING: GetRequest = { portals: [], mode: "probe", schedule: "LIFO", cutoffMs: -1 };

export class NamedGets {
  readonly #options: NamedGetsOptions;
  readonly #places = new Map<string, Place>();
  /** Whose place the session's position of a portal is, where that is known. */
  readonly #positions = new Map<string, Place>();
  readonly #closed = new Abort();
  #arrivals = 0;

  constructor(options: NamedGetsOptions) {
    this.#options = options;
  }

  /** Somebody else moves the session's position of these portals. */
  moved(portalIds: readonly string[]): void {
    for (const portalId of portalIds) this.#positions.delete(portalId);
  }

  /** Gives up the places of a name. */
  forget(name: string): void {
    const first = JSON.stringify([name]).slice(0, -1);
    for (const [key, place] of [...this.#places]) {
      if (key.startsWith(`${first},`)) this.#forget(key, place);
    }
  }

  /** @throws XrtcError; the signal's reason when it is aborted */
  async get(wish: NamedGet, signal?: Signal): Promise<readonly Item[]> {
    this.#closed.throwIfAborted();
    const deadline = new Deadline(this.#options.clock, signal);
    const onClose = (): void => deadline.abort(this.#closed.reason as Error);
    this.#closed.addEventListener("abort", onClose);
    try {
      deadline.set(TURN_MS_MAX, busy);
      const lease = await this.#turn(new Set(wish.portalIds), deadline.signal);
      // From here on each request has a deadline of its own.
      deadline.clear();
      return await this.#leased(wish, lease, deadline.signal);
    } finally {
      this.#closed.removeEventListener("abort", onClose);
      deadline.dispose();
    }
  }

  /** Whoever waits is told `XRTC_CLOSED`. */
  close(): void {
    this.#closed.abort(new XrtcError("XRTC_CLOSED", "The client is closed."));
  }

  async #leased(wish: NamedGet, lease: Lease, signal: Signal): Promise<readonly Item[]> {
    try {
      const ids = [...new Set(wish.portalIds)];
      const places = ids.map((portalId) => this.#place(wish, portalId));
      const asked = places.filter(({ portalId }) => lease.taken.has(portalId));
      const streamed = places.filter(({ portalId }) => !lease.taken.has(portalId));
      for (const place of streamed) {
        place.follow((tap) => this.#options.hub.tap(place.portalId, tap));
      }
      await this.#lookUp(streamed, signal);
      await this.#hurry(streamed, signal);
      const waits = wish.mode === "watch" && places.every(({ count }) => count === 0);
      if (asked.length > 0)
        await this.#ask(asked, { ...wish, mode: waits ? "watch" : "probe" }, signal);
      else if (waits) {
        const { getTimeoutMs } = this.#options;
        await this.#until(streamed, () => streamed.some(({ count }) => count > 0), {
          signal,
          msMax: getTimeoutMs,
        });
        await this.#hurry(streamed, signal);
      }
      lease.release();
      return taken(places, wish);
    } finally {
      lease.abandon();
    }
  }

  /** The portals that no stream reads, as soon as no other request does. */
  async #turn(portalIds: ReadonlySet<string>, signal: Signal): Promise<Lease> {
    const { hub, leases } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const free = [...portalIds].filter((portalId) => !hub.reads(portalId));
      const held = free.find((portalId) => leases.isHeld(portalId));
      if (held === undefined) return leases.take(free);
      await leases.free(held, signal);
    }
  }

  #place({ name, schedule, cutoffMs }: NamedGet, portalId: string): Place {
    const key = JSON.stringify([name, portalId]);
    const tuning = { schedule, cutoffMs };
    const place = this.#places.get(key) ?? new Place(portalId, tuning, () => (this.#arrivals += 1));
    place.retune(tuning);
    // The latest used stands last.
    this.#places.delete(key);
    this.#places.set(key, place);
    const [oldest] = this.#places;
    if (this.#places.size > PLACES_MAX && oldest !== undefined) this.#forget(...oldest);
    return place;
  }

  #forget(key: string, place: Place): void {
    this.#places.delete(key);
    if (this.#positions.get(place.portalId) === place) this.#positions.delete(place.portalId);
    place.leave();
  }

  /** What a stream brought before anybody saw it is gone but for the newest, which can be had without taking it. */
  async #lookUp(places: readonly Place[], signal: Signal): Promise<void> {
    const wanted = places.filter(({ needsLookup }) => needsLookup);
    if (wanted.length === 0) return;
    const turn = await this.#request("probe", () => LISTING, signal);
    const newest = new Map<string, Item>();
    for await (const line of turn.lines) {
      for (const item of line.items) newest.set(item.portalId, item);
    }
    for (const place of wanted) place.lookedUp(turn.login, newest.get(place.portalId));
  }

  async #ask(places: readonly Place[], wish: NamedGet, signal: Signal): Promise<void> {
    const { clock, hub, leases } = this.#options;
    for (const place of places) {
      if (this.#positions.get(place.portalId) !== place) place.distrust();
      this.#positions.delete(place.portalId);
    }
    const sentAt = clock.now();
    for (let answers = 0; answers < OLD_ANSWERS_MAX; answers += 1) {
      if (!(await this.#askOnce(places, wish, signal))) break;
    }
    for (const place of places) {
      const { portalId } = place;
      // A stream that began meanwhile, or a request that was given up before, may have moved it again.
      if (hub.reads(portalId) || leases.wasShared(portalId, sentAt)) continue;
      this.#positions.set(portalId, place);
    }
  }

  /** @returns whether all that came is known, so that what is new may stand behind it */
  async #askOnce(
    places: readonly Place[],
    { mode, schedule, cutoffMs, onMalformed }: NamedGet,
    signal: Signal,
  ): Promise<boolean> {
    const turn = await this.#request(
      mode,
      (login) => {
        const portals = places.map((place) => place.request(login));
        return { portals, mode, schedule, cutoffMs };
      },
      signal,
    );
    const items: Item[] = [];
    const malformed: MalformedItem[] = [];
    for await (const line of turn.lines) {
      items.push(...line.items);
      malformed.push(...line.malformed);
    }
    if (schedule === "LIFO") items.reverse();
    // Only now: of an answer that was cut nothing is taken, and all of it comes again.
    let fresh = 0;
    for (const place of places) {
      const own = items.filter(({ portalId }) => portalId === place.portalId);
      fresh += place.answered(turn.login, own, items.length === 0);
    }
    for (const each of malformed) onMalformed(each);
    return items.length > 0 && fresh === 0;
  }

  #request(
    mode: NamedGet["mode"],
    request: Parameters<ItemSource["get"]>[1],
    signal: Signal,
  ): Promise<SourceTurn> {
    return this.#options.source.get(mode, request, signal);
  }

  /** Where the others only probe now and then, what came since their last probe is not there yet. */
  async #hurry(places: readonly Place[], signal: Signal): Promise<void> {
    const probed = places.filter(
      ({ count, portalId }) => count === 0 && this.#options.hub.hurry(portalId),
    );
    const before = probed.map(({ turns }) => turns);
    const isOver = (): boolean => probed.every(({ turns }, at) => turns !== before[at]);
    await this.#until(probed, isOver, { signal, msMax: PROBE_MS_MAX });
  }

  /** Resolves when it is so, or nothing is to be expected, or it has taken too long. */
  async #until(
    places: readonly Place[],
    isSo: () => boolean,
    { signal, msMax }: { readonly signal: Signal; readonly msMax: number },
  ): Promise<void> {
    const ends: (() => void)[] = [];
    const change = new Promise<void>((resolve) => {
      const check = (): void => {
        const isOver = places.every(({ status }) => status === undefined);
        if (isOver || isSo() || failureOf(places) !== undefined) resolve();
      };
      ends.push(this.#options.clock.schedule(msMax, resolve));
      for (const place of places) ends.push(place.onChange(check));
      check();
    });
    try {
      await abortable(change, signal);
    } finally {
      for (const end of ends) end();
    }
  }
}

/** What waits in the places, in the order that is wanted. @throws XrtcError why nothing came */
function taken(places: readonly Place[], { schedule, cutoffMs, onGap }: NamedGet): readonly Item[] {
  for (const place of places) {
    const gap = place.takeGap();
    if (gap !== undefined) onGap(gap);
  }
  const isYoung = ({ item, serverNow }: Arrival): boolean =>
    cutoffMs < 0 || serverNow === undefined || serverNow - item.serverTimestamp <= cutoffMs;
  const arrivals = places.flatMap((place) => place.take()).filter(isYoung);
  const failure = arrivals.length === 0 ? failureOf(places) : undefined;
  if (failure !== undefined) throw failure;
  const items = arrivals.toSorted((a, b) => a.order - b.order).map(({ item }) => item);
  return schedule === "LIFO" ? items.toReversed() : items;
}

/** Why a stream brings nothing just now. */
function failureOf(places: readonly Place[]): XrtcError | undefined {
  for (const { status } of places) {
    if (status?.kind === "waiting" || status?.kind === "refused") return status.cause;
  }
  return undefined;
}

const busy = (): XrtcError =>
  new XrtcError("XRTC_PORTAL_BUSY", "Other gets of this client read the portal for too long.", {
    retryable: true,
  });
