import type { MaybeAsync } from "../../../primitives/maybe-async.js";
import type { ServerSettings } from "../../options.js";
import type { Entry, Move, OpenExchange, Session, SetOutcome, SetWish } from "../backend.js";
import type { AccountFeeds } from "./account-feeds.js";
import type { Connection } from "./connection.js";
import { accountBase, sessionKey, sharedPositionsKey } from "./keys.js";
import { listOf, numberAt, type Reply, textAt } from "./reply.js";
import type { RedisSets } from "./redis-sets.js";
import { MOVE } from "./scripts/move.js";
import type { SessionName } from "./session-id.js";

/** A position cannot matter any more when every item of its time is gone; this much later, in ms. */
const POSITION_MARGIN_MS = 1_000;

export interface RedisSessionsDeps {
  readonly prefix: string;
  readonly connection: Connection;
  readonly feeds: AccountFeeds;
  readonly sets: RedisSets;
  readonly settings: Pick<ServerSettings, "clock" | "limits" | "dialect">;
}

/** Who logged in: what later logins of the same key, and other epochs, end. */
export interface SessionLife {
  readonly keyHash: string;
  /** Whether the options named the key, and not a registration. */
  readonly isOfOptions: boolean;
  /** How often the key's sessions had been ended before this one began. */
  readonly generation: number;
  readonly epoch: string;
}

/** One login as this process sees it. What it is, and how far it has read, stands in Redis. */
export class RedisSession implements Session {
  readonly accountId: string;
  readonly name: string;
  readonly openGets = new Set<OpenExchange>();
  readonly life: SessionLife;
  /** The same for each request: nothing is made for it. */
  readonly entered: Entry = { kind: "entered", session: this };
  /** When its minute was last begun anew in Redis, in monotonic ms. */
  renewedAtMs = 0;
  usedAtMs = 0;
  readonly #deps: RedisSessionsDeps;
  readonly #onLeave: (session: RedisSession) => void;
  readonly #base: string;
  readonly #positionsKey: string;
  /** As far as this process knows; another one may have moved meanwhile. */
  readonly #positions = new Map<string, number>();
  /** How often it had moved when that was so. */
  #moves = 0;
  #requests = 0;
  #isOver = false;

  constructor(
    { accountId, name }: SessionName,
    life: SessionLife,
    deps: RedisSessionsDeps,
    onLeave: (session: RedisSession) => void,
  ) {
    this.accountId = accountId;
    this.name = name;
    this.life = life;
    this.#deps = deps;
    this.#onLeave = onLeave;
    this.#base = accountBase(deps.prefix, accountId);
    this.#positionsKey = this.#isShared
      ? sharedPositionsKey(this.#base, life.keyHash)
      : sessionKey(this.#base, name);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isInUse(): boolean {
    return this.#requests > 0;
  }

  /** Key in Redis. */
  get key(): string {
    return sessionKey(this.#base, this.name);
  }

  /** @param moves - how often it has moved, in whatever process */
  enter(moves: number): void {
    this.#requests += 1;
    if (moves !== this.#moves) this.#positions.clear();
    this.#moves = moves;
  }

  leave(): void {
    this.#requests -= 1;
    this.#onLeave(this);
  }

  /** Ends, cleanly, what it has open here. */
  end(): void {
    this.#isOver = true;
    for (const exchange of [...this.openGets]) exchange.finish();
  }

  positions(portalIds: readonly string[]): MaybeAsync<ReadonlyMap<string, number>> {
    // Where sessions continue one another, others of the key move it as a rule.
    const isKnown = !this.#isShared && portalIds.every((id) => this.#positions.has(id));
    return isKnown ? this.#known(portalIds) : this.#ask(portalIds);
  }

  async move(moves: readonly Move[]): Promise<boolean> {
    const { connection, settings } = this.#deps;
    const { itemAgeMsMax, portalsMax } = settings.limits;
    const ageMs = itemAgeMsMax + POSITION_MARGIN_MS;
    const steps = moves.flatMap(({ portalId, from, to }) => [portalId, from, to]);
    const reply = listOf(
      await connection.run(MOVE, this.#base, [
        ...[this.name, this.#positionsKey, this.#isShared ? ageMs : 0],
        ...[portalsMax * 2, ageMs, ...steps],
      ]),
    );
    return this.#moved(moves, reply);
  }

  set(wish: SetWish, onDecided: (outcome: SetOutcome) => void): void {
    const { sets, feeds } = this.#deps;
    sets.decide(this.name, feeds.of(this.accountId), wish, onDecided);
  }

  get #isShared(): boolean {
    return this.#deps.settings.dialect.newLogin === "continue";
  }

  #moved(moves: readonly Move[], reply: Reply): boolean {
    const how = textAt(reply, 0);
    if (how === "moved") {
      const count = numberAt(reply, 1);
      if (count !== this.#moves + 1) this.#positions.clear();
      this.#moves = count;
      for (const { portalId, to } of moves) this.#positions.set(portalId, to);
    } else if (how === "elsewhere") {
      for (let at = 1; at < reply.length; at += 2) {
        this.#positions.set(textAt(reply, at), numberAt(reply, at + 1));
      }
    } else {
      this.end();
    }
    return how === "moved";
  }

  /** A copy: what was read from there on comes later, and by then another get may have moved. */
  #known(portalIds: readonly string[]): ReadonlyMap<string, number> {
    return new Map(portalIds.map((id) => [id, this.#positions.get(id) ?? 0]));
  }

  async #ask(portalIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { connection, settings } = this.#deps;
    const fields = portalIds.map((portalId) => `at:${portalId}`);
    const reply = listOf(await connection.call("HMGET", this.#positionsKey, ...fields));
    // So many portals come and go: those of the past are asked for again, if ever.
    if (this.#positions.size > settings.limits.portalsMax * 2) this.#positions.clear();
    portalIds.forEach((portalId, at) => this.#positions.set(portalId, positionAt(reply, at)));
    return this.#known(portalIds);
  }
}

/** "<sequence> <when>", or nothing. */
const positionAt = (reply: Reply, at: number): number =>
  reply[at] === null ? 0 : Number(textAt(reply, at).split(" ")[0]);
