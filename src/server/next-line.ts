import type { MaybeAsync } from "../primitives/maybe-async.js";
import type { GetRequest } from "../protocol/item.js";
import type { Move, Session } from "./backend/backend.js";
import type { Engine, PortalPage, PortalQuery } from "./engine/engine.js";
import { composeLine, type Line, type LineBounds } from "./line.js";
import type { Dialect } from "./options.js";
import { type WantedPortals, wantedPortals } from "./wanted-portals.js";

/** Whom the lines are for. */
export interface LineOwner {
  /** Those of the pages that no other get of the session goes before. */
  ownOf(pages: readonly PortalPage[]): readonly PortalPage[];
}

export interface NextLineOptions {
  readonly request: GetRequest;
  readonly session: Session;
  readonly engine: Engine;
  readonly bounds: LineBounds;
  readonly reference: Dialect["reference"];
  readonly owner: LineOwner;
}

type Positions = ReadonlyMap<string, number>;

/** What most gets have of portals to be placed, and while they wait of portals to be read: thousands share it. */
const NO_PORTALS: Set<string> = new Set();
const NONE: readonly string[] = [];

/**
 * The lines of one get, each from three steps: where its session stands, what its portals have from there on, and the
 * session's move to where the line ends. A line whose move failed belongs to another get of the session, and is not
 * given away. Items that no line has stay in their ring, and the position stays with them.
 */
export class NextLine {
  readonly #options: NextLineOptions;
  readonly #wanted: WantedPortals;
  /** Portals whose position was not moved to the reference time yet, as their first read does. */
  readonly #unplaced: Set<string>;
  /** Portals that may have something new for this reader. */
  #dirty: readonly string[];
  /** Nothing was read yet. */
  #isFirst = true;
  #isMoving = false;
  #isStopped = false;

  constructor(options: NextLineOptions) {
    this.#options = options;
    this.#wanted = wantedPortals(options.request.portals, options.reference);
    const { ids } = this.#wanted;
    const unplaced = ids.filter((portalId) => this.#wanted.from(portalId) !== undefined);
    this.#unplaced = unplaced.length === 0 ? NO_PORTALS : new Set(unplaced);
    this.#dirty = ids;
  }

  get portalIds(): readonly string[] {
    return this.#wanted.ids;
  }

  wants(portalId: string): boolean {
    return this.#wanted.has(portalId);
  }

  /** Whether there may be another line. */
  get mayFollow(): boolean {
    return this.#dirty.length > 0;
  }

  /** Whether the session's position is just being moved: the line that comes of it has to be handed on. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Something new came to these portals, this get's or others. */
  touched(portalIds: readonly string[]): void {
    const isOwn = (portalId: string): boolean => this.#wanted.has(portalId);
    // Nearly always all of them: then every reader has the same list.
    this.#mark(portalIds.every(isOwn) ? portalIds : portalIds.filter(isOwn));
  }

  /** Moves nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The next line, or undefined when there is none, for now. One at a time. */
  take(): MaybeAsync<Line | undefined> {
    const portalIds = this.#dirty;
    this.#dirty = NONE;
    const positions = this.#options.session.positions(portalIds);
    return positions instanceof Promise
      ? positions.then((ready) => this.#read(portalIds, ready))
      : this.#read(portalIds, positions);
  }

  #read(portalIds: readonly string[], positions: Positions): MaybeAsync<Line | undefined> {
    const { engine, session } = this.#options;
    const queries = portalIds.map((portalId) => this.#query(portalId, positions));
    this.#isFirst = false;
    const pages = engine.read(session.accountId, queries);
    return pages instanceof Promise
      ? pages.then((ready) => this.#compose(ready, positions))
      : this.#compose(pages, positions);
  }

  #query(portalId: string, positions: Positions): PortalQuery {
    const { cutoffMs, schedule } = this.#options.request;
    const fromTimestamp = this.#wanted.from(portalId);
    // A reference time counts whatever the session's position; what follows it goes on from the position.
    const afterSequence = this.#unplaced.has(portalId) ? 0 : (positions.get(portalId) ?? 0);
    const isFirst = this.#isFirst;
    return { portalId, afterSequence, fromTimestamp, cutoffMs, schedule, isFirst };
  }

  #compose(read: readonly PortalPage[], positions: Positions): MaybeAsync<Line | undefined> {
    if (this.#isStopped) return undefined;
    const { request, bounds, session, owner } = this.#options;
    const pages = owner.ownOf(read);
    const line = composeLine(pages, request.schedule, bounds);
    const moves = this.#moves(pages, positions, line);
    if (moves.length === 0) return this.#moved(true, pages, line);
    const isMoved = session.move(moves);
    if (!(isMoved instanceof Promise)) return this.#moved(isMoved, pages, line);
    this.#isMoving = true;
    return isMoved
      .finally(() => {
        this.#isMoving = false;
      })
      .then((ready) => this.#moved(ready, pages, line));
  }

  /** To where the line ends; where it has nothing, to the reference time, once. */
  #moves(pages: readonly PortalPage[], positions: Positions, line: Line | undefined): Move[] {
    const moves: Move[] = [];
    const reached = line?.reached ?? [];
    for (const { portalId, sequence } of reached) {
      const from = positions.get(portalId) ?? 0;
      if (from !== sequence) moves.push({ portalId, from, to: sequence });
    }
    if (this.#unplaced.size === 0) return moves;
    const moved = new Set(reached.map(({ portalId }) => portalId));
    for (const { portalId, firstSequence } of pages) {
      if (!this.#unplaced.has(portalId) || moved.has(portalId)) continue;
      const [from, to] = [positions.get(portalId) ?? 0, firstSequence - 1];
      if (from !== to) moves.push({ portalId, from, to });
    }
    return moves;
  }

  #moved(isOurs: boolean, pages: readonly PortalPage[], line: Line | undefined): Line | undefined {
    if (!isOurs) {
      this.#mark(pages.map(({ portalId }) => portalId));
      return undefined;
    }
    if (this.#unplaced.size > 0) for (const { portalId } of pages) this.#unplaced.delete(portalId);
    if (line !== undefined) this.#mark(line.unfinished);
    return line;
  }

  #mark(portalIds: readonly string[]): void {
    if (portalIds.length === 0) return;
    this.#dirty =
      this.#dirty.length === 0 ? portalIds : [...new Set([...this.#dirty, ...portalIds])];
  }
}
