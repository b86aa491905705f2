import { strict as assert } from "node:assert";
import type { Backend } from "../../../src/server/backend/backend.js";
import { MemoryBackend } from "../../../src/server/backend/memory/memory-backend.js";
import { ServerCore } from "../../../src/server/core.js";
import type { ServerReply } from "../../../src/server/exchange.js";
import type { LogRecord } from "../../../src/server/log.js";
import {
  resolveOptions,
  type ServerSettings,
  type XrtcServerOptions,
} from "../../../src/server/options.js";
import { VirtualClock } from "./virtual-clock.js";

export const ALICE = { accountId: "AC1111", apiKey: "a".repeat(32) };
export const BOB = { accountId: "AC2222", apiKey: "b".repeat(32) };

export interface WireItem {
  readonly portalid: string;
  readonly payload: string;
  readonly servertimestamp: number;
  readonly seq?: number;
}

export interface WireDocument {
  readonly items?: readonly WireItem[];
  readonly servertimestamp?: number;
  readonly epoch?: string;
  readonly extensions?: readonly string[];
  readonly registrationtoken?: string;
  readonly accountid?: string;
  readonly apikey?: string;
  readonly apikeyname?: string;
  readonly error?: { errorgroup: number; errorcode: number; errormessage: string };
}

/** An answer as a client without a socket sees it. */
export class RecordedReply implements ServerReply {
  status = 0;
  headers: Readonly<Record<string, string | readonly string[]>> = {};
  readonly writes: Buffer[] = [];
  isEnded = false;
  isFlushed = false;
  /** Whether the reader takes what is written. */
  keepsUp = true;
  readonly #onClose: (() => void)[] = [];
  #onDrain: (() => void) | undefined;
  #isOver = false;

  head(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void {
    assert.equal(this.status, 0, "a second answer");
    this.status = status;
    this.headers = headers;
  }

  flush(): void {
    assert.notEqual(this.status, 0, "flushed without a head");
    this.isFlushed = true;
  }

  write(chunk: Buffer): boolean {
    assert.equal(this.isEnded, false, "written after the end");
    this.writes.push(chunk);
    return this.keepsUp;
  }

  end(lastChunk?: Buffer | string): void {
    assert.equal(this.isEnded, false, "ended twice");
    if (lastChunk !== undefined) this.writes.push(Buffer.from(lastChunk));
    this.isEnded = true;
    this.leave();
  }

  onClose(callback: () => void): void {
    if (this.#isOver) callback();
    else this.#onClose.push(callback);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** The reader reads again. */
  drain(): void {
    this.keepsUp = true;
    this.#onDrain?.();
  }

  /** The exchange is over; a client that is gone. */
  leave(): void {
    this.#isOver = true;
    for (const callback of this.#onClose.splice(0)) callback();
  }

  get text(): string {
    return Buffer.concat(this.writes).toString();
  }

  /** The lines that came so far. */
  get lines(): WireDocument[] {
    const { text } = this;
    if (text === "") return [];
    const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
    return lines.map((line) => JSON.parse(line) as WireDocument);
  }

  /** The only document of the answer. */
  get document(): WireDocument {
    const { lines } = this;
    assert.equal(lines.length, 1, `one document expected, got ${this.text}`);
    return lines[0] as WireDocument;
  }

  get payloads(): string[] {
    return this.lines.flatMap(({ items = [] }) => items.map(({ payload }) => payload));
  }

  /** HTTP status, group and code of an error. */
  get refusal(): readonly [number, number | undefined, number | undefined] {
    const { error } = this.document;
    return [this.status, error?.errorgroup, error?.errorcode];
  }
}

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly peer?: string;
}

/** A server's core under a virtual clock. */
export class CoreHarness {
  readonly clock = new VirtualClock();
  readonly log: LogRecord[] = [];
  readonly core: ServerCore;

  constructor(
    options: Partial<XrtcServerOptions> = {},
    backendOf = (settings: ServerSettings): Backend => new MemoryBackend(settings),
  ) {
    const settings = resolveOptions({
      accounts: [ALICE, BOB].map(({ accountId, apiKey }) => ({ accountId, apiKeys: [apiKey] })),
      clock: this.clock,
      log: (record) => this.log.push(record),
      ...options,
    });
    this.core = new ServerCore(settings, backendOf(settings));
  }

  post(path: string, body: unknown, sent: Sent = {}): RecordedReply {
    const reply = new RecordedReply();
    const { method = "POST", headers = {}, peer = "127.0.0.1" } = sent;
    const bytes = body instanceof Uint8Array ? body : Buffer.from(textOf(body));
    const request = { method, path, headers: { host: "localhost", ...headers }, body: bytes, peer };
    this.core.handle(request, reply);
    return reply;
  }

  tryLogin(who = ALICE, sent: Sent = {}): RecordedReply {
    return this.post("/v1/auth/login", { accountid: who.accountId, apikey: who.apiKey }, sent);
  }

  login(who = ALICE, sent: Sent = {}): SessionHarness {
    const reply = this.tryLogin(who, sent);
    assert.equal(reply.status, 200, reply.text);
    return new SessionHarness(this, cookiesOf(reply), sent.peer ?? "127.0.0.1");
  }
}

/** What somebody who is logged in does. */
export class SessionHarness {
  readonly #server: CoreHarness;
  readonly cookie: string;
  readonly peer: string;

  constructor(server: CoreHarness, cookie: string, peer: string) {
    this.#server = server;
    this.cookie = cookie;
    this.peer = peer;
  }

  send(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): RecordedReply {
    const sent = { headers: { cookie: this.cookie, ...headers }, peer: this.peer };
    return this.#server.post(path, body, sent);
  }

  trySet(items: unknown, headers: Readonly<Record<string, string>> = {}): RecordedReply {
    return this.send("/v1/item/set", { items }, headers);
  }

  /** Sets payloads to a portal with one request, and gives its timestamp back. */
  set(portalid: string, ...payloads: readonly string[]): number {
    const reply = this.trySet(payloads.map((payload) => ({ portalid, payload })));
    assert.equal(reply.status, 200, reply.text);
    return reply.document.servertimestamp as number;
  }

  get(portals: readonly (string | object)[], options: object = {}): RecordedReply {
    const wanted = portals.map((portal) =>
      typeof portal === "string" ? { portalid: portal } : portal,
    );
    return this.send("/v1/item/get", { portals: wanted, ...options });
  }
}

export const FIFO = { schedule: "FIFO" } as const;
export const WATCH = { schedule: "FIFO", mode: "watch" } as const;
export const STREAM = { schedule: "FIFO", mode: "stream" } as const;

export function cookiesOf(reply: RecordedReply): string {
  const header = reply.headers["set-cookie"];
  assert.ok(Array.isArray(header));
  return (header as string[]).map((cookie) => cookie.split(";")[0]).join("; ");
}

const textOf = (body: unknown): string => (typeof body === "string" ? body : JSON.stringify(body));

/** `count` payloads: `p1`, `p2`, … */
export const numbered = (count: number, first = 1): string[] =>
  Array.from({ length: count }, (_, index) => `p${first + index}`);
