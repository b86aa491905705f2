/** Who reads what: each portal by exactly one upstream, for any number of subscriptions. */

import { XrtcError } from "../errors.js";
import type { Cancel, Clock } from "../primitives/clock.js";
import type { Random } from "../primitives/random.js";
import type { Leases } from "./leases.js";
import { Member, type MemberCallbacks, type Wish } from "./member.js";
import { readingFor, readingKey, type Reading } from "./plan.js";
import { Portal, type Tap } from "./portal.js";
import { Subscription } from "./subscription.js";
import type { ItemSource } from "./source.js";
import { Upstream } from "./upstream.js";

export interface HubOptions {
  readonly source: ItemSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared with whatever else reads portals under this client. */
  readonly leases: Leases;
  /** Milliseconds that a get of the service stays open. */
  readonly getTimeoutMs: number;
  /** Milliseconds that the place of a named subscription is kept after it closed. */
  readonly resumeMs: number;
}

export class Hub {
  readonly #options: HubOptions;
  readonly #portals = new Map<string, Portal>();
  readonly #upstreams = new Map<string, Upstream>();
  readonly #parked = new Map<string, { readonly member: Member; readonly cancel: Cancel }>();
  readonly #members = new Set<Member>();
  /** Upstreams that nobody needs any more, while their last turn ends. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Whether a portal has subscribers. */
  reads(portalId: string): boolean {
    return this.#portals.has(portalId);
  }

  /** Lets somebody see what comes for a portal that has subscribers. @returns a function that ends it */
  tap(portalId: string, tap: Tap): () => void {
    return this.#portals.get(portalId)?.tap(tap) ?? (() => undefined);
  }

  /** Has a portal that is only probed now and then probed now. @returns whether it is one of those */
  hurry(portalId: string): boolean {
    const reading = this.#portals.get(portalId)?.reading;
    if (reading?.mode !== "probe") return false;
    this.#upstreamFor(reading).replan();
    return true;
  }

  /** Upstreams that are open: requests held open at the service. */
  get upstreamCount(): number {
    return this.#upstreams.size;
  }

  /**
   * @param name - under which the place is kept after the subscription closed, if it may be taken up again
   * @param signal - closes the subscription
   * @throws XrtcError `XRTC_CLOSED`; the signal's reason when it is aborted already
   */
  subscribe(
    wish: Wish,
    callbacks: MemberCallbacks,
    {
      name,
      signal,
    }: { readonly name?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Subscription {
    signal?.throwIfAborted();
    if (this.#closed) throw new XrtcError("XRTC_CLOSED", "The client is closed.");
    const member = this.#unpark(wish, name) ?? this.#join(wish);
    member.unpark(callbacks);
    const onAbort = (): void => void subscription.close();
    const subscription = new Subscription(member, (forget) => {
      signal?.removeEventListener("abort", onAbort);
      this.#left(member, forget ? undefined : name);
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    return subscription;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { cancel } of this.#parked.values()) cancel();
    this.#parked.clear();
    for (const upstream of this.#upstreams.values()) this.#end(upstream);
    this.#upstreams.clear();
    for (const portal of this.#portals.values()) portal.end();
    this.#portals.clear();
    for (const member of this.#members) member.end();
    this.#members.clear();
    await Promise.all(this.#ending);
  }

  #join(wish: Wish): Member {
    const member = new Member(wish);
    this.#members.add(member);
    for (const portalId of new Set(wish.portals)) {
      const known = this.#portals.get(portalId);
      const portal = known ?? new Portal(portalId, wish);
      this.#portals.set(portalId, portal);
      const askAgain = portal.join(member);
      if (known === undefined) this.#upstreamFor(wish).add(portal);
      else if (!this.#replan(portal) && askAgain) this.#upstreamFor(portal.reading).joined(portal);
    }
    return member;
  }

  #leave(member: Member): void {
    this.#members.delete(member);
    for (const portalId of new Set(member.wish.portals)) {
      const portal = this.#portals.get(portalId);
      if (portal === undefined) continue;
      portal.leave(member);
      if (portal.members.size > 0) this.#replan(portal);
      else {
        this.#portals.delete(portalId);
        this.#takeFrom(portal);
        portal.end();
      }
    }
    member.end();
  }

  /** @returns whether the portal is read in another way now */
  #replan(portal: Portal): boolean {
    const reading = readingFor([...portal.members].map(({ wish }) => wish));
    if (readingKey(reading) === readingKey(portal.reading)) return false;
    this.#takeFrom(portal);
    portal.retune(reading);
    this.#upstreamFor(reading).add(portal);
    return true;
  }

  #takeFrom(portal: Portal): void {
    const key = readingKey(portal.reading);
    const upstream = this.#upstreams.get(key);
    upstream?.remove(portal.portalId);
    if (upstream?.isEmpty !== true) return;
    this.#upstreams.delete(key);
    this.#end(upstream);
  }

  #upstreamFor({ mode, schedule, cutoffMs, probeMs }: Reading): Upstream {
    const reading = { mode, schedule, cutoffMs, probeMs };
    const key = readingKey(reading);
    let upstream = this.#upstreams.get(key);
    if (upstream === undefined) {
      upstream = new Upstream({ ...this.#options, reading });
      this.#upstreams.set(key, upstream);
    }
    return upstream;
  }

  #end(upstream: Upstream): void {
    const ending = upstream.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #left(member: Member, name: string | undefined): void {
    const { clock, resumeMs } = this.#options;
    if (this.#closed || !this.#members.has(member)) return;
    if (name === undefined || resumeMs <= 0) {
      this.#leave(member);
      return;
    }
    member.park();
    this.#forget(name);
    const cancel = clock.schedule(resumeMs, () => this.#forget(name));
    this.#parked.set(name, { member, cancel });
  }

  /** A place that is kept under a name is given up. */
  #forget(name: string): void {
    const parked = this.#parked.get(name);
    if (parked === undefined) return;
    this.#parked.delete(name);
    parked.cancel();
    this.#leave(parked.member);
  }

  #unpark(wish: Wish, name: string | undefined): Member | undefined {
    const parked = name === undefined ? undefined : this.#parked.get(name);
    if (name === undefined || parked === undefined) return undefined;
    if (JSON.stringify(parked.member.wish) !== JSON.stringify(wish)) {
      this.#forget(name);
      return undefined;
    }
    this.#parked.delete(name);
    parked.cancel();
    return parked.member;
  }
}
