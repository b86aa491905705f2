import type { Cancel } from "../primitives/clock.js";
import { encodeError } from "../protocol/codec.js";
import { whenReady } from "../primitives/maybe-async.js";
import type { GetRequest } from "../protocol/item.js";
import { EMPTY_LINE } from "../protocol/server-codec.js";
import type { ServerContext, SessionCall } from "./context.js";
import type { EngineReader, PortalPage, PortalQuery } from "./engine/engine.js";
import { composeLine, type LineBounds } from "./line.js";
import type { Dialect } from "./options.js";
import type { OpenExchange } from "./session-table.js";
import { systemError } from "./wire-error.js";
import { sendBytes } from "./wire-reply.js";

/** What the request asked of one portal. */
interface Wanted {
  readonly fromTimestamp: number | undefined;
  /** Whether the session's position was moved to the reference time, as the request's first read does. */
  isPlaced: boolean;
}

/**
 * One get of named portals, from its first read to its last line.
 *
 * A line follows when: the get was opened; an append touched one of its portals; the reader caught up after it had
 * fallen behind. The first is paced by the request itself, the second by the sets, the third by the reader. Items that
 * cannot be handed on stay in their ring, and the position stays with them.
 */
export class OpenGet implements EngineReader, OpenExchange {
  readonly openedAs: number;
  readonly #context: ServerContext;
  readonly #call: SessionCall;
  readonly #request: GetRequest;
  readonly #bounds: LineBounds;
  readonly #wanted = new Map<string, Wanted>();
  /** Portals that may have something new for this reader. */
  readonly #dirty: Set<string>;
  #unsubscribe: (() => void) | undefined;
  #cancelTimeout: Cancel | undefined;
  #isOver = false;
  #isBehind = false;
  #isReading = false;
  #hasDelivered = false;

  constructor(context: ServerContext, call: SessionCall, request: GetRequest, bounds: LineBounds) {
    this.#context = context;
    this.#call = call;
    this.#request = request;
    this.#bounds = bounds;
    context.counters.opened += 1;
    this.openedAs = context.counters.opened;
    for (const { portalId, serverTimestamp } of request.portals) {
      const fromTimestamp = firstWanted(serverTimestamp, context.settings.dialect.reference);
      this.#wanted.set(portalId, { fromTimestamp, isPlaced: fromTimestamp === undefined });
    }
    this.#dirty = new Set(this.#wanted.keys());
  }

  start(): void {
    const { reply } = this.#call;
    if (this.#request.mode === "stream") {
      reply.head(200, STREAM_HEADERS);
      reply.onDrain(this.#onDrain);
    }
    this.#pump();
    if (this.#isOver) return;
    if (this.#request.mode === "probe" && !this.#isReading) {
      this.finish();
      return;
    }
    this.#stayOpen();
    // The client learns that it is let in before there is anything to read.
    if (this.#request.mode === "stream" && !this.#hasDelivered) reply.flush();
  }

  wake(portalIds: readonly string[]): void {
    for (const portalId of portalIds) {
      if (this.#wanted.has(portalId)) this.#dirty.add(portalId);
    }
    this.#pump();
  }

  /** Ends the answer cleanly: its time is over, its session, or the server's. */
  finish(): void {
    if (this.#isOver) return;
    this.#leave();
    const { reply } = this.#call;
    if (this.#request.mode !== "stream") sendBytes(reply, EMPTY_LINE);
    else if (this.#hasDelivered) reply.end();
    else reply.end(EMPTY_LINE);
  }

  #stayOpen(): void {
    const { engine, counters, getTimeouts } = this.#context;
    const { session, reply } = this.#call;
    counters.waitingGets += 1;
    session.openGets.add(this);
    this.#unsubscribe = engine.subscribe(session.accountId, [...this.#wanted.keys()], this);
    this.#cancelTimeout = getTimeouts.add(() => this.finish());
    reply.onClose(() => this.#leave());
  }

  #leave(): void {
    this.#isOver = true;
    if (this.#unsubscribe === undefined) return;
    this.#unsubscribe();
    this.#unsubscribe = undefined;
    this.#cancelTimeout?.();
    this.#context.counters.waitingGets -= 1;
    this.#call.session.openGets.delete(this);
  }

  readonly #onDrain = (): void => {
    this.#isBehind = false;
    this.#pump();
  };

  /** A reader that fails must not fail the set that woke it: what goes wrong here is answered here. */
  #pump(): void {
    try {
      this.#readOn();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads and hands on until there is nothing new, or the reader does not keep up. */
  #readOn(): void {
    const { engine } = this.#context;
    while (this.#dirty.size > 0 && !this.#isOver && !this.#isBehind && !this.#isReading) {
      const queries = [...this.#dirty].map((portalId) => this.#query(portalId));
      this.#dirty.clear();
      const pages = engine.read(this.#call.session.accountId, queries);
      if (pages instanceof Promise) this.#pumpLater(pages);
      else this.#deliver(pages);
    }
  }

  #pumpLater(pages: Promise<readonly PortalPage[]>): void {
    this.#isReading = true;
    const read = (ready: readonly PortalPage[]): void => {
      this.#isReading = false;
      if (this.#isOver) return;
      this.#deliver(ready);
      this.#pump();
      if (this.#request.mode === "probe" && !this.#isReading) this.finish();
    };
    whenReady(pages, read, (error) => this.#fail(error));
  }

  #query(portalId: string): PortalQuery {
    const { fromTimestamp, isPlaced } = this.#wanted.get(portalId) as Wanted;
    // A reference time counts whatever the session's position; what follows it goes on from the position.
    const afterSequence = isPlaced ? this.#call.session.position(portalId) : 0;
    return { portalId, afterSequence, fromTimestamp, cutoffMs: this.#request.cutoffMs };
  }

  #deliver(pages: readonly PortalPage[]): void {
    const { counters } = this.#context;
    for (const page of pages) this.#place(page);
    const line = composeLine(pages, this.#request.schedule, this.#bounds);
    if (line === undefined) return;
    this.#hasDelivered = true;
    counters.itemsDelivered += line.itemCount;
    line.positions.forEach(this.#moveTo);
    if (this.#request.mode !== "stream") {
      this.#leave();
      sendBytes(this.#call.reply, line.bytes);
      return;
    }
    for (const portalId of line.unfinished) this.#dirty.add(portalId);
    this.#isBehind = !this.#call.reply.write(line.bytes);
  }

  /** Moves the position to the reference time, once. */
  #place(page: PortalPage): void {
    const wanted = this.#wanted.get(page.portalId);
    if (wanted === undefined || wanted.isPlaced) return;
    wanted.isPlaced = true;
    this.#move(page.portalId, page.firstSequence - 1);
  }

  readonly #moveTo = (sequence: number, portalId: string): void => {
    this.#move(portalId, sequence);
  };

  #move(portalId: string, sequence: number): void {
    this.#call.session.moveTo(portalId, sequence, this.#context.settings.clock.now());
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#leave();
    if (this.#request.mode !== "stream") {
      this.#call.fail(error);
      return;
    }
    this.#context.logger.write("error", "read-failed", "items could not be read");
    const { service } = systemError(503, "items cannot be read just now");
    this.#call.reply.end(Buffer.from(`${encodeError(service)}\n`));
  }
}

/** The first timestamp that a reference time asks for; timestamps are whole milliseconds. */
function firstWanted(
  reference: number | undefined,
  means: Dialect["reference"],
): number | undefined {
  if (reference === undefined || means === "ignored") return undefined;
  return means === "exclusive" ? reference + 1 : reference;
}

export const STREAM_HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collected lines would turn a stream into its end.
  "x-accel-buffering": "no",
} as const;
