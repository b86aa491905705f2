/** One request for several portals, from what has to be known before it to the end of its answer. */

import { isXrtcError, XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import type { MalformedItem, ReceivedLine } from "../protocol/codec.js";
import type { GetRequest, Item } from "../protocol/item.js";
import type { Lease, Leases } from "./leases.js";
import type { Reading } from "./plan.js";
import type { Portal } from "./portal.js";
import type { ItemSource, SourceLogin } from "./source.js";
import type { Signal } from "../primitives/signal.js";

export interface TurnOptions {
  readonly source: ItemSource;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly reading: Reading;
  /** Milliseconds that a get of the service stays open. */
  readonly getTimeoutMs: number;
}

export interface TurnPorts {
  /** The portals of the upstream, as they are now. */
  readonly portals: ReadonlyMap<string, Portal>;
  /** Whether all is well until the contrary is known: else only the head of an answer says so. */
  readonly isTrusted: boolean;
  /** The turn is over when this is aborted. */
  readonly parent: Signal;
  /** The request goes out, under a login that is known from now on. */
  readonly onRequest: () => void;
  /** The service has let us in. */
  readonly onAnswer: () => void;
  /** A portal that another request held is free. */
  readonly onFree: () => void;
}

/** A stream that ends sooner than this share of the get timeout was ended by something else. */
const EARLY_SHARE = 0.9;

/** The turn is given up because the next one asks for something else. */
export class Replan extends Error {
  override readonly name = "Replan";
}

export class Turn {
  readonly #options: TurnOptions;
  readonly #ports: TurnPorts;
  readonly #deadline: Deadline;
  #login: SourceLogin | undefined;
  /** The portals that were asked for, each as it was tuned then. */
  #asked = new Map<string, { readonly portal: Portal; readonly tuning: number }>();
  #sentAt = 0;
  #isAbandoned = false;
  /** Lines that the answer has brought, empty documents among them. */
  #lineCount = 0;
  #itemCount = 0;

  constructor(options: TurnOptions, ports: TurnPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#deadline = new Deadline(options.clock, ports.parent);
  }

  /** Items that the answer has brought, new or not. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** The login under which the request went out; undefined before. */
  get login(): SourceLogin | undefined {
    return this.#login;
  }

  /** The next turn asks for something else. */
  giveUp(): void {
    this.#deadline.abort(new Replan());
  }

  /**
   * @returns whether anything new came
   * @throws Replan when it was given up; XrtcError
   */
  async run(): Promise<boolean> {
    const { signal } = this.#deadline;
    try {
      await this.#prepare(signal);
      return await this.#read(signal);
    } finally {
      this.#deadline.dispose();
    }
  }

  /** A portal of which only new items are wanted needs to know what is old. */
  async #prepare(signal: Signal): Promise<void> {
    const { source } = this.#options;
    const portals = [...this.#ports.portals.values()];
    for (const portal of portals) portal.begin();
    const unplaced = portals.filter((portal) => portal.needsPlace);
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
      if (place === undefined) portal.place({ kind: "empty" });
      else portal.place({ kind: "after", place, epoch: listing.login.epoch });
    }
  }

  async #read(signal: Signal): Promise<boolean> {
    const lease = await this.#lease(signal);
    const portals = [...this.#ports.portals.values()].filter(
      (portal) => !portal.needsPlace && lease.taken.has(portal.portalId),
    );
    try {
      return portals.length > 0 && (await this.#readLeased(portals, signal));
    } finally {
      if (this.#isAbandoned) lease.abandon();
      else lease.release();
    }
  }

  /** Takes what no other request reads, and waits until there is any. */
  async #lease(signal: Signal): Promise<Lease> {
    const { leases } = this.#options;
    const wanted = [...this.#ports.portals.keys()];
    const lease = leases.take(wanted);
    const missing = wanted.filter((portalId) => !lease.taken.has(portalId));
    for (const portalId of missing) leases.onceFree(portalId, this.#ports.onFree);
    const [first] = missing;
    if (lease.taken.size > 0 || first === undefined) return lease;
    await leases.free(first, signal);
    return this.#lease(signal);
  }

  async #readLeased(portals: readonly Portal[], signal: Signal): Promise<boolean> {
    const { source, reading } = this.#options;
    const request = (login: SourceLogin): GetRequest => this.#request(portals, login);
    const answer = await source.get(reading.mode, request, signal).catch((thrown: unknown) => {
      // What may have reached the service may have moved the session's position.
      if (!(isXrtcError(thrown) && thrown.outcome === "fail")) this.#abandon();
      throw thrown;
    });
    for (const { portal } of this.#unchanged()) {
      const isShared = this.#options.leases.wasShared(portal.portalId, this.#sentAt);
      portal.turnStarted(answer.login, isShared);
    }
    this.#ports.onAnswer();
    // Those that came meanwhile, or that another request holds, are not read yet.
    this.#reportConnected();
    let whole = false;
    let delivered = false;
    try {
      for await (const line of answer.lines) {
        this.#lineCount += 1;
        this.#itemCount += line.items.length;
        if (this.#deliver(line)) delivered = true;
        await this.#untilRoom(signal);
      }
      whole = true;
    } finally {
      if (whole) this.#endWhole();
      else this.#abandon();
    }
    return delivered;
  }

  #request(portals: readonly Portal[], login: SourceLogin): GetRequest {
    const { reading, clock } = this.#options;
    this.#sentAt = clock.now();
    this.#login = login;
    this.#asked = new Map();
    for (const portal of portals) {
      this.#asked.set(portal.portalId, { portal, tuning: portal.tuning });
    }
    const asked = portals.map((portal) => portal.request(login));
    // The head of the answer may come only with the first item.
    if (this.#ports.isTrusted) this.#reportConnected();
    this.#ports.onRequest();
    const { mode, schedule, cutoffMs } = reading;
    return { portals: asked, mode, schedule, cutoffMs };
  }

  /**
   * Those that are still read in the way that they were asked for. One that has moved to another upstream meanwhile is
   * among them if only its mode changed: nobody else reads it before this turn is over, and what comes is its own.
   */
  *#unchanged(): Generator<{ readonly portal: Portal }> {
    for (const asked of this.#asked.values()) {
      if (asked.portal.tuning === asked.tuning) yield asked;
    }
  }

  #reportConnected(): void {
    for (const { portal } of this.#unchanged()) {
      if (this.#ports.portals.get(portal.portalId) === portal) portal.report({ kind: "connected" });
    }
  }

  /**
   * An answer ended as it should. That proves little: a stream that ended before its time may have been cut between two
   * lines, and a request that was given up may have taken items from the position meanwhile. Even where items are
   * numbered, what was in them would only be missed when the next item comes. The answer to a watch is one document: one
   * without any was cut.
   */
  #endWhole(): void {
    const { reading, clock, getTimeoutMs, leases } = this.#options;
    const sentAt = this.#sentAt;
    const repeats = [...this.#asked.values()].some(({ portal }) => portal.sawRepeat);
    const isCut =
      reading.mode === "stream"
        ? clock.now() - sentAt < getTimeoutMs * EARLY_SHARE
        : this.#lineCount === 0;
    for (const [portalId, { portal, tuning }] of this.#asked) {
      // Of one that is read in another way now, this turn's items were passed over.
      const isWhole = !isCut && portal.tuning === tuning && !leases.wasShared(portalId, sentAt);
      // One answer to a watch may be a part of what is there; an empty one tells that it was all.
      const isPresent = isWhole && (reading.mode === "stream" || this.#itemCount === 0);
      portal.turnEnded({ whole: isWhole, isPresent, repeats });
    }
  }

  /** What may have reached the service may have moved the session's position, and may go on moving it. */
  #abandon(): void {
    this.#isAbandoned = true;
    for (const { portal } of this.#asked.values()) {
      portal.turnEnded({ whole: false, isPresent: false, repeats: false });
    }
  }

  #deliver(line: ReceivedLine): boolean {
    let delivered = false;
    for (const item of line.items) {
      // Another portal's items can only come from a service that errs, or for one that has just been left.
      const asked = this.#asked.get(item.portalId);
      if (asked === undefined || asked.portal.tuning !== asked.tuning) continue;
      const acceptance = asked.portal.deliver(item);
      if (acceptance === "reread") throw new Replan();
      if (acceptance === "new") delivered = true;
    }
    for (const malformed of line.malformed) this.#reportMalformed(malformed);
    return delivered;
  }

  #reportMalformed({ portalId, reason }: MalformedItem): void {
    const { portals } = this.#ports;
    const named = portalId === undefined ? undefined : portals.get(portalId);
    const error = new XrtcError("XRTC_ITEM_MALFORMED", `An item cannot be read: ${reason}`, {
      ...(portalId === undefined ? {} : { portalId }),
    });
    for (const portal of named === undefined ? portals.values() : [named]) {
      portal.malformed(error);
      // One that names no portal is told once.
      if (named === undefined) return;
    }
  }

  /** When a member's queue is full, the socket is not read: the server's ring decides what is kept. */
  async #untilRoom(signal: Signal): Promise<void> {
    for (const { portal } of this.#asked.values()) {
      const full = portal.fullMember();
      if (full !== undefined) await abortable(full.whenRoom(), signal);
    }
  }
}

const LISTING: GetRequest = { portals: [], mode: "probe", schedule: "FIFO", cutoffMs: -1 };
