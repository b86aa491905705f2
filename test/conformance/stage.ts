/** What a case works with: sessions, portals and requests at one server. */

import { strict as assert } from "node:assert";
import type { Limits } from "../../src/protocol/limits.js";
import { type Account, type Endpoint, hasFreshPortals, type Target } from "./target.js";
import { type Answer, type Budget, type Exchange, Pace, pause, Wire } from "./wire.js";

export interface WireItem {
  readonly portalid: string;
  readonly payload: string;
  readonly servertimestamp: number;
  readonly seq?: number;
}

export interface GetBody {
  readonly portals: unknown;
  readonly mode?: "probe" | "watch" | "stream";
  readonly schedule?: "LIFO" | "FIFO";
  readonly cutoff?: number;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string | undefined;
  readonly isUnpaced?: boolean;
}

/** One login. Keeps its cookies as a browser would. */
export class Session {
  readonly #wire: Wire;
  readonly #cookies = new Map<string, string>();
  lastUsedAt = performance.now();
  /** Longest time in ms between the ends of two calls. */
  longestGapMs = 0;

  constructor(
    wire: Wire,
    readonly account: Account,
    readonly login: Answer,
  ) {
    this.#wire = wire;
    this.#keep(login.headers["set-cookie"]);
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async open(path: string, body: unknown, options: CallOptions = {}): Promise<Exchange> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { cookie: this.cookie, ...options.headers };
    const exchange = await this.#wire.open(path, text, { ...options, headers });
    this.#keep(exchange.response.headers["set-cookie"]);
    this.#used();
    return exchange;
  }

  async call(path: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { cookie: this.cookie, ...options.headers };
    const answer = await this.#wire.call(path, text, { ...options, headers });
    this.#keep(answer.headers["set-cookie"]);
    this.#used();
    return answer;
  }

  /** Sets items that must be taken. @returns their server timestamp */
  async set(portalid: string, ...payloads: readonly string[]): Promise<number> {
    const answer = await this.call("/item/set", {
      items: payloads.map((payload) => ({ portalid, payload })),
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.document["servertimestamp"] as number;
  }

  /** One get that must be answered by one line. */
  async get(body: GetBody): Promise<readonly WireItem[]> {
    const answer = await this.call("/item/get", body);
    assert.equal(answer.status, 200, answer.text);
    return itemsOf(answer.text);
  }

  /** What is new in a portal, in one line. */
  fifo(portalid: string): Promise<readonly WireItem[]> {
    return this.get({ portals: [{ portalid }], schedule: "FIFO" });
  }

  /** Everything that is new in a portal, in as many gets as it takes. */
  async all(portalid: string): Promise<readonly WireItem[]> {
    const items: WireItem[] = [];
    for (let got = await this.fifo(portalid); got.length > 0; got = await this.fifo(portalid)) {
      items.push(...got);
    }
    return items;
  }

  /** Opens a stream. */
  async stream(portalid: string, body: Partial<GetBody> = {}): Promise<Exchange> {
    const request = { portals: [{ portalid }], mode: "stream", schedule: "FIFO", ...body };
    const exchange = await this.open("/item/get", request);
    assert.equal(exchange.status, 200);
    return exchange;
  }

  #used(): void {
    const now = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - this.lastUsedAt);
    this.lastUsedAt = now;
  }

  #keep(headers: readonly string[] = []): void {
    for (const header of headers) {
      const [, name, value] = /^\s*([^=;\s]+)=([^;]*)/.exec(header) ?? [];
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
    }
  }
}

/** Items of one line, which must have the form that every line has. */
export function itemsOf(line: string): readonly WireItem[] {
  const document = JSON.parse(line) as { items?: readonly WireItem[] };
  if (document.items === undefined) {
    assert.deepEqual(document, {});
    return [];
  }
  assert.ok(document.items.length > 0, "a line without items is {}");
  for (const { portalid, payload, servertimestamp } of document.items) {
    assert.match(portalid, /^[A-Za-z0-9]{1,32}$/);
    assert.equal(typeof payload, "string");
    assert.ok(Number.isSafeInteger(servertimestamp) && servertimestamp > 0);
  }
  return document.items;
}

export const payloadsOf = (items: readonly WireItem[]): readonly string[] =>
  items.map(({ payload }) => payload);

export const linesToItems = (lines: readonly string[]): readonly WireItem[] =>
  lines.flatMap(itemsOf);

/** An error in its documented form, with this status and code. */
export function assertRefused(
  answer: Answer,
  expected: { readonly status?: number; readonly group?: number; readonly code?: number },
): void {
  const { status = 400, group, code } = expected;
  assert.equal(answer.status, status, answer.text);
  const error = answer.document["error"] as Readonly<Record<string, unknown>> | undefined;
  assert.ok(error !== undefined, `no error in ${answer.text}`);
  assert.ok(Number.isSafeInteger(error["errorgroup"]), answer.text);
  assert.ok(Number.isSafeInteger(error["errorcode"]), answer.text);
  assert.equal(typeof error["errormessage"], "string", answer.text);
  if (group !== undefined) assert.equal(error["errorgroup"], group, answer.text);
  if (code !== undefined) assert.equal(error["errorcode"], code, answer.text);
}

/** What the cases of one run share: connections, sessions, and when a key last logged in. */
export class Common {
  readonly #loginAt = new Map<string, number>();
  readonly #sessions = new Map<string, Session>();
  readonly #wires = new Map<string, Wire>();
  readonly #paces = new Map<string, Pace>();
  portalCount = 0;

  constructor(readonly budget: Budget) {}

  /** Connections of one key to one server, paced so that its share is not used up. */
  wire({ baseUrl, limits }: Endpoint, { apiKey }: Account): Wire {
    const id = `${baseUrl} ${apiKey}`;
    const known = this.#wires.get(id);
    if (known !== undefined) return known;
    const pace = this.#paces.get(apiKey) ?? new Pace(limits.requestsPerSecondMax);
    this.#paces.set(apiKey, pace);
    const { getTimeoutMs } = limits;
    const wire = new Wire(baseUrl, { getTimeoutMs, budget: this.budget, pace });
    this.#wires.set(id, wire);
    return wire;
  }

  /** Waits until the key may log in. */
  async mayLogIn({ apiKey }: Account, intervalMs: number): Promise<void> {
    const last = this.#loginAt.get(apiKey);
    const waitMs = last === undefined ? 0 : last + intervalMs * 1.1 - performance.now();
    if (waitMs > 0) await pause(waitMs);
  }

  loggedIn({ apiKey }: Account): void {
    this.#loginAt.set(apiKey, performance.now());
  }

  /** The account's session, unless it may have ended. */
  live({ apiKey }: Account, idleMsMax: number): Session | undefined {
    const session = this.#sessions.get(apiKey);
    const idleMs = session === undefined ? 0 : performance.now() - session.lastUsedAt;
    return idleMs > idleMsMax * 0.8 ? undefined : session;
  }

  keep(session: Session): void {
    this.#sessions.set(session.account.apiKey, session);
  }

  close(): void {
    for (const wire of this.#wires.values()) wire.close();
  }
}

/** Where accounts have few portals, all cases share so many. */
const SHARED_PORTALS = 4;

/** The stage of one case. */
export class Stage {
  readonly #common: Common;
  readonly #endpoint: Endpoint;
  readonly #tag = `t${Math.random().toString(36).slice(2, 10)}`;
  readonly #sessions: Session[] = [];
  #account: Account | undefined;
  #portals = 0;

  /** @param isHasty - whether the case waits for times to pass */
  constructor(
    readonly target: Target,
    common: Common,
    isHasty: boolean,
  ) {
    this.#common = common;
    this.#endpoint = isHasty ? (target.hasty ?? target) : target;
  }

  get limits(): Limits {
    return this.#endpoint.limits;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  offers(extension: string): boolean {
    return this.target.extensions.includes(extension);
  }

  /** The account of this case. */
  get account(): Account {
    this.#account ??= this.anotherAccount();
    return this.#account;
  }

  /** An account that nobody else uses, where the target has such; else the shared one. */
  anotherAccount(): Account {
    const account = this.target.freshAccount?.() ?? this.target.accounts[0];
    assert.ok(account !== undefined, "the target has an account");
    return account;
  }

  /** The second key of this case's account. */
  get otherKey(): Account {
    const { accountId, otherKey } = this.account;
    assert.ok(otherKey !== undefined, "the account has two keys");
    return { accountId, apiKey: otherKey };
  }

  wire(account: Account = this.account): Wire {
    return this.#common.wire(this.#endpoint, account);
  }

  /** A call without a session. */
  call(path: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.wire().call(path, typeof body === "string" ? body : JSON.stringify(body), options);
  }

  /** A login request as it is, whatever it is answered. */
  async login(account: Account, options: CallOptions = {}): Promise<Answer> {
    const { accountId, apiKey } = account;
    const body = JSON.stringify({ accountid: accountId, apikey: apiKey });
    const answer = await this.wire(account).call("/auth/login", body, options);
    this.#common.loggedIn(account);
    if (answer.status === 200) this.#common.keep(new Session(this.wire(account), account, answer));
    return answer;
  }

  /** A login after the time that must lie between two. */
  async loginInTime(account: Account, options: CallOptions = {}): Promise<Answer> {
    await this.#common.mayLogIn(account, this.limits.loginIntervalMsMin);
    return this.login(account, options);
  }

  /** A new session. */
  async newSession(account: Account = this.account, options: CallOptions = {}): Promise<Session> {
    const answer = await this.loginInTime(account, options);
    assert.equal(answer.status, 200, answer.text);
    const session = new Session(this.wire(account), account, answer);
    this.#sessions.push(session);
    return session;
  }

  /** Whether calls took so long, on a busy machine, that sessions may have ended meanwhile. */
  get isTooSlow(): boolean {
    const { sessionIdleMsMax } = this.limits;
    return this.#sessions.some(({ longestGapMs }) => longestGapMs > sessionIdleMsMax * 0.7);
  }

  /** A session of this case's account: a live one where the account is shared. */
  async session(): Promise<Session> {
    const known = this.#common.live(this.account, this.limits.sessionIdleMsMax);
    return known ?? (await this.newSession());
  }

  /** A portal with nothing new in it for this session. */
  async portal(session: Session): Promise<string> {
    this.#portals += 1;
    if (hasFreshPortals(this.target)) {
      this.#common.portalCount += 1;
      return `${this.#tag}${this.#common.portalCount}`;
    }
    assert.ok(this.#portals <= SHARED_PORTALS, "a case takes few portals");
    const name = `conformance${this.#portals}`;
    await session.all(name);
    return name;
  }

  /** A word that no other case uses. */
  word(name: string): string {
    return `${this.#tag}${name}`;
  }

  /** A text that no other case uses. */
  text(name: string): string {
    return `${this.#tag} ${name}`;
  }
}
