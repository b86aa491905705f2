import { encodeError } from "../protocol/codec.js";
import type { Expiring } from "../primitives/timeout-queue.js";
import type { GetRequest } from "../protocol/item.js";
import { EMPTY_LINE } from "../protocol/server-codec.js";
import type { OpenExchange, Session } from "./backend/backend.js";
import type { ServerContext, SessionCall } from "./context.js";
import type { EngineReader, PortalPage } from "./engine/engine.js";
import type { ServerReply } from "./exchange.js";
import type { Line, LineBounds } from "./line.js";
import { NextLine } from "./next-line.js";
import { unavailable } from "./serve.js";
import { systemError, WireError } from "./wire-error.js";
import { sendBytes } from "./wire-reply.js";

/**
 * One get of named portals, from its first line to its last.
 *
 * A line follows when: the get was opened; an append touched one of its portals; the reader caught up after it had
 * fallen behind; another get of the session was first. The first is paced by the request itself, the second and the last
 * by the sets, the third by the reader.
 */
export class OpenGet implements EngineReader, OpenExchange, Expiring {
  readonly openedAs: number;
  readonly #context: ServerContext;
  /** Not the call itself: a request whose answer waits need not be kept. */
  readonly #session: Session;
  readonly #reply: ServerReply;
  readonly #failCall: SessionCall["fail"];
  readonly #mode: GetRequest["mode"];
  readonly #lines: NextLine;
  /** Later gets of the session that want portals of this one. */
  #newer: Set<OpenExchange> | undefined;
  #unsubscribe: (() => void) | undefined;
  #isOver = false;
  /** The reader does not keep up. */
  #isBehind = false;
  /** A line is on its way from the backend. */
  #isTaking = false;
  /** Ends with the line that is on its way. */
  #isEnding = false;
  #hasDelivered = false;
  /** What comes now was waited for, and had not been there before. */
  #wasWoken = false;

  constructor(context: ServerContext, call: SessionCall, request: GetRequest, bounds: LineBounds) {
    const { counters, backend, settings } = context;
    this.#context = context;
    this.#session = call.session;
    this.#reply = call.reply;
    this.#failCall = call.fail;
    this.#mode = request.mode;
    counters.opened += 1;
    this.openedAs = counters.opened;
    const { reference } = settings.dialect;
    const { engine } = backend;
    const { session } = call;
    this.#lines = new NextLine({ request, session, engine, bounds, reference, owner: this });
  }

  start(): void {
    const reply = this.#reply;
    if (this.#mode === "stream") {
      reply.head(200, STREAM_HEADERS);
      reply.onDrain(this.#onDrain);
    }
    this.#pump();
    if (this.#isOver) return;
    if (this.#mode === "probe" && !this.#isTaking) {
      this.finish();
      return;
    }
    this.#stayOpen();
    // The client learns that it is let in before there is anything to read.
    if (this.#mode === "stream" && !this.#hasDelivered) reply.flush();
  }

  wake(portalIds: readonly string[]): void {
    this.#wasWoken = true;
    this.#lines.touched(portalIds);
    this.#pump();
  }

  /** Its time is over. */
  expire(): void {
    this.finish();
  }

  get portalIds(): readonly string[] {
    return this.#lines.portalIds;
  }

  takes(portalId: string): boolean {
    return !this.#isBehind && this.#lines.wants(portalId);
  }

  overtakenBy(newer: OpenExchange): void {
    if (newer.portalIds.some((portalId) => this.#lines.wants(portalId))) {
      (this.#newer ??= new Set()).add(newer);
    }
  }

  outlives(newer: OpenExchange): void {
    if (this.#newer?.delete(newer) !== true) return;
    this.#lines.touched(newer.portalIds);
    this.#pump();
  }

  /**
   * Of two gets of one session the older may be one whose client is gone without anybody having noticed, and what it took
   * would be lost: it takes nothing that a newer one takes.
   */
  ownOf(pages: readonly PortalPage[]): readonly PortalPage[] {
    if (this.#newer === undefined || this.#newer.size === 0) return pages;
    const newer = [...this.#newer];
    return pages.filter(({ portalId }) => !newer.some((other) => other.takes(portalId)));
  }

  /** Ends the answer cleanly: its time is over, its session, or the server's. */
  finish(): void {
    if (this.#isOver) return;
    // The session has moved past what that line has: whoever got no line would miss it, and never know.
    this.#isEnding = this.#lines.isMoving;
    if (this.#isEnding) return;
    this.#leave();
    const reply = this.#reply;
    if (this.#mode !== "stream") sendBytes(reply, EMPTY_LINE);
    else if (this.#hasDelivered) reply.end();
    else reply.end(EMPTY_LINE);
  }

  /** A probe stays for its first answer only: new items need not wake it. */
  #stayOpen(): void {
    const { backend, counters, getTimeouts } = this.#context;
    const [session, reply] = [this.#session, this.#reply];
    for (const older of session.openGets) older.overtakenBy(this);
    session.openGets.add(this);
    getTimeouts.watch(this);
    if (this.#mode !== "probe") {
      counters.waitingGets += 1;
      const { portalIds } = this.#lines;
      this.#unsubscribe = backend.engine.subscribe(session.accountId, portalIds, this);
    }
    reply.onClose(() => this.#leave());
  }

  #leave(): void {
    this.#isOver = true;
    this.#lines.stop();
    const { openGets } = this.#session;
    if (openGets.delete(this)) for (const other of openGets) other.outlives(this);
    this.#context.getTimeouts.unwatch(this);
    if (this.#unsubscribe === undefined) return;
    this.#unsubscribe();
    this.#unsubscribe = undefined;
    this.#context.counters.waitingGets -= 1;
  }

  readonly #onDrain = (): void => {
    this.#isBehind = false;
    this.#pump();
  };

  /**
   * Takes lines and hands them on until there is nothing new, or the reader does not keep up. A reader that fails must
   * not fail the set that woke it: what goes wrong here is answered here.
   */
  #pump(): void {
    try {
      while (this.#lines.mayFollow && !this.#isOver && !this.#isBehind && !this.#isTaking) {
        const line = this.#lines.take();
        if (line instanceof Promise) this.#pumpLater(line);
        else this.#handOn(line);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #pumpLater(line: Promise<Line | undefined>): void {
    this.#isTaking = true;
    const ready = (taken: Line | undefined): void => {
      this.#isTaking = false;
      if (this.#isOver) return;
      this.#handOn(taken);
      if (!this.#isEnding) this.#pump();
      if (this.#isEnding || (this.#mode === "probe" && !this.#isTaking)) this.finish();
    };
    line
      .then(ready, (error: unknown) => this.#fail(unavailable(this.#context, error)))
      .catch((error: unknown) => this.#fail(error));
  }

  #handOn(line: Line | undefined): void {
    if (line === undefined) return;
    this.#hasDelivered = true;
    if (this.#wasWoken) this.#observe(line);
    this.#context.counters.itemsDelivered += line.itemCount;
    if (this.#mode === "stream") {
      this.#isBehind = !this.#reply.write(line.bytes);
      return;
    }
    this.#leave();
    sendBytes(this.#reply, line.bytes);
  }

  #observe(line: Line): void {
    const { observer, clock } = this.#context.settings;
    observer?.handedOver(Math.max(0, clock.now() - line.newestStoredAtMs));
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#leave();
    if (this.#mode !== "stream") {
      this.#failCall(error);
      return;
    }
    if (!(error instanceof WireError)) {
      this.#context.logger.write("error", "read-failed", "items could not be read");
    }
    const { service } = systemError(503, "items cannot be read just now");
    this.#reply.end(Buffer.from(`${encodeError(service)}\n`));
  }
}

export const STREAM_HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collected lines would turn a stream into its end.
  "x-accel-buffering": "no",
} as const;
