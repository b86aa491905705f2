/** Real clients, the real server's core and a bad network in one thread and in virtual time. */

import { XrtcClient } from "../../src/client/client.js";
import { isXrtcError } from "../../src/errors.js";
import { sleep } from "../../src/primitives/clock.js";
import { ServerCore } from "../../src/server/core.js";
import { MemoryEngine } from "../../src/server/backend/memory/memory-engine.js";
import { resolveOptions } from "../../src/server/options.js";
import type { ServerReply } from "../../src/server/exchange.js";
import type { Subscription } from "../../src/subscription/subscription.js";
import type { SetResult } from "../../src/writer/queued-write.js";
import type { PostRequest } from "../../src/transport/transport.js";
import type { History, Reader, SetRecord, Stored } from "./history.js";
import { SimNetwork } from "./network.js";
import {
  CALM,
  STRICT,
  type Action,
  type Command,
  type Plan,
  type SetCommand,
  type SubscribeCommand,
  type Weather,
} from "./plan.js";
import { fork } from "./seeded.js";
import { SlowBackend, STEP_MS_MAX } from "./slow-backend.js";
import { outside, SimClock, type ClockView } from "./sim-clock.js";

const ACCOUNT_ID = "AC0000000000000001";
const KEYS = ["a".repeat(32), "b".repeat(32)] as const;
const PATHS = "/v1";
const BASE_URL = `http://localhost:8480${PATHS}`;
/** Milliseconds that a place of a named subscription is kept. */
const RESUME_MS = 10_000;

type Append = MemoryEngine["append"];
const originalAppend: Append = MemoryEngine.prototype.append;

interface Slot {
  reader: Reader;
  subscription: Subscription;
  closedAt: number | undefined;
  waiting: boolean;
  consuming: Promise<void>;
}

interface Peer {
  readonly clock: ClockView;
  readonly network: SimNetwork;
  readonly client: XrtcClient;
  naps: number;
}

export class World {
  readonly history: History;
  readonly #plan: Plan;
  readonly #clock = new SimClock();
  readonly #serverClock: ClockView;
  readonly #peers: Peer[] = [];
  readonly #slots = new Map<number, Slot>();
  /** Only where somebody listens: most of the cost of a line is to write it. */
  readonly #tell: ((line: string) => void) | undefined;
  readonly #seqs = new Map<string, number>();
  #core: ServerCore | undefined;
  #epoch = 0;
  #setCount = 0;
  #unsettled = 0;
  #calm = false;
  #sleptMs = 0;
  #weatherCount = 0;

  constructor(plan: Plan, trace?: (line: string) => void) {
    this.#plan = plan;
    this.#serverClock = this.#clock.view();
    this.#tell =
      trace === undefined ? undefined : (line) => trace(`${this.#clock.now.toFixed(3)} ${line}`);
    this.history = emptyHistory(plan);
    this.#core = this.#newCore();
    const clients = plan.commands.some((each) => "client" in each && each.client === 1) ? 2 : 1;
    for (let index = 0; index < clients; index += 1) this.#peers.push(this.#newPeer(index));
    const limits = this.#first.client.limits;
    Object.assign(this.history.limits, limits);
  }

  run(): Promise<History> {
    return outside(() => this.#run());
  }

  #run(): History {
    const onRejection = (reason: unknown): void => {
      this.history.errors.push(`unhandled rejection: ${String(reason)}`);
    };
    process.on("unhandledRejection", onRejection);
    MemoryEngine.prototype.append = this.#recordAppend();
    try {
      for (const command of this.#plan.commands) this.#perform(command);
      this.#settleDown();
      this.#close();
    } finally {
      MemoryEngine.prototype.append = originalAppend;
      process.off("unhandledRejection", onRejection);
    }
    this.history.steps += this.history.posts.length + this.#plan.commands.length;
    return this.history;
  }

  get #first(): Peer {
    return this.#peers[0] as Peer;
  }

  // -- commands ----------------------------------------------------------------------------------------------------

  #perform(command: Command): void {
    this.#clock.run(Math.max(command.at + this.#sleptMs, this.#clock.now));
    const { clock } = this.#first;
    // On a machine that sleeps, nobody commands anything.
    const isOurs = ["set", "burst", "subscribe", "unsubscribe", "get"].includes(command.kind);
    if (isOurs && clock.isAsleep) clock.arrive(0, () => this.#act(command));
    else this.#act(command);
  }

  #act(action: Action): void {
    this.#tell?.(`* ${JSON.stringify(action)}`);
    switch (action.kind) {
      case "set":
        this.#set(action);
        break;
      case "burst":
        for (let count = 0; count < action.count; count += 1) this.#set(action.set);
        break;
      case "subscribe":
        this.#subscribe(action);
        break;
      case "unsubscribe":
        this.#unsubscribe(action.slot);
        break;
      case "get":
        void this.#get(action.portals, action.mode);
        break;
      case "weather":
        this.#weather(action.weather, action.ms);
        break;
      case "restart":
        this.#restart(action.downMs);
        break;
      case "killSessions":
        this.#killSessions();
        break;
      case "rival":
        this.#rival();
        break;
      case "stepServer":
        this.#serverClock.stepWall(action.ms);
        break;
      case "stepClient":
        this.#first.clock.stepWall(action.ms);
        break;
      case "suspend":
        if (this.#first.clock.isAsleep) break;
        this.#first.clock.suspend(action.ms, action.mode);
        this.#first.naps += 1;
        // The others go on for a moment; all that would pile up until it wakes comes after that.
        this.#sleptMs += Math.max(0, action.ms - 300);
        break;
      default:
        action satisfies never;
    }
  }

  #set(command: SetCommand, calm = false): void {
    const { client } = this.#peers[command.client] ?? this.#first;
    this.#setCount += 1;
    const id = `s${this.#setCount}`;
    const payloads = command.portals.map((_, index) =>
      command.twin ? "twin" : `${id}.${index}.`.padEnd(command.bytes, "-"),
    );
    const record: SetRecord = { id, command, at: this.#clock.now, payloads, calm };
    this.history.sets.push(record);
    this.#unsettled += 1;
    const items = command.portals.map((portalId, index) => ({
      portalId,
      payload: payloads[index] as string,
    }));
    const { level, ttlMs } = command;
    void this.#settle(record, client.setItems(items, { level, ttlMs }));
  }

  async #settle(record: SetRecord, setting: Promise<SetResult>): Promise<void> {
    const { id, payloads } = record;
    try {
      const { attempts, duplicatePossible } = await setting;
      const storedThen = payloads.every((payload) => this.#isStored(payload));
      record.result = { kind: "ok", attempts, duplicatePossible, storedThen };
    } catch (error) {
      if (!isXrtcError(error)) this.history.errors.push(`${id}: ${String(error)}`);
      const { outcome, code } = isXrtcError(error) ? error : { outcome: undefined, code: "?" };
      record.result = { kind: "error", outcome, code };
    }
    record.settledAt = this.#clock.now;
    this.#unsettled -= 1;
    this.#tell?.(`${id} ${JSON.stringify(record.result)}`);
  }

  #isStored(payload: string): boolean {
    return this.#texts.has(payload);
  }

  readonly #texts = new Set<string>();
  /** By portal. */
  readonly #lastPayloads = new Map<string, string>();

  #subscribe(command: SubscribeCommand): void {
    const known = this.#slots.get(command.slot);
    if (known !== undefined && known.closedAt === undefined) return;
    const { client, clock } = this.#first;
    const reader = this.#resumed(known, command) ?? this.#newReader(command);
    const slot: Slot = { reader, closedAt: undefined, waiting: false } as Slot;
    const { portals, start, mode, schedule, cutoff, queueItemsMax, name } = command;
    slot.subscription = client.subscribe({
      portals,
      start,
      mode,
      schedule,
      cutoff,
      queueItemsMax,
      ...(name === undefined ? {} : { name }),
      onGap: (gap) => {
        const taken = reader.delivered.length;
        // A parked queue lost its oldest; other gaps come after everything that was handed over.
        const queued = gap.reason === "queue" ? 0 : (slot.subscription?.queued ?? 0);
        const from = taken + queued + (queued > 0 && slot.waiting ? 1 : 0);
        const to = from + (slot.waiting ? 1 : 0);
        reader.gaps.push({ gap, from, to, at: this.#clock.now });
        this.#tell?.(`r${command.slot} gap ${JSON.stringify(gap)}`);
      },
    });
    reader.open = true;
    this.#slots.set(command.slot, slot);
    const unfollow = slot.subscription.status.subscribe((status) => {
      this.#tell?.(`r${command.slot} ${status.kind}`);
      if (status.kind === "connected") reader.connectedAt ??= this.#clock.now;
    });
    slot.consuming = this.#consume(slot, clock).finally(unfollow);
  }

  /** Whether the place of a named subscription that closed is taken up again. */
  #resumed(known: Slot | undefined, command: SubscribeCommand): Reader | undefined {
    if (known?.closedAt === undefined || known.reader.command.name === undefined) return undefined;
    const same = wishOf(command) === wishOf(known.reader.command);
    const isKept = this.#first.clock.now() - known.closedAt < RESUME_MS;
    return same && isKept ? known.reader : undefined;
  }

  #newReader(command: SubscribeCommand): Reader {
    const reader: Reader = {
      command,
      subscribedAt: this.#clock.now,
      connectedAt: undefined,
      delivered: [],
      gaps: [],
      open: true,
    };
    this.history.readers.push(reader);
    return reader;
  }

  async #consume(slot: Slot, clock: ClockView): Promise<void> {
    const { reader, subscription } = slot;
    const iterator = subscription[Symbol.asyncIterator]();
    for (;;) {
      slot.waiting = true;
      const result = await iterator.next();
      slot.waiting = false;
      if (result.done === true) return;
      reader.delivered.push(result.value);
      this.#tell?.(`r${reader.command.slot} < ${JSON.stringify(result.value)}`);
      if (reader.command.slowMs > 0 && !this.#calm) await sleep(clock, reader.command.slowMs);
    }
  }

  #unsubscribe(index: number): void {
    const slot = this.#slots.get(index);
    if (slot === undefined || slot.closedAt !== undefined) return;
    slot.closedAt = this.#first.clock.now();
    slot.reader.open = false;
    void slot.subscription.close();
  }

  async #get(portals: readonly string[], mode: "probe" | "watch"): Promise<void> {
    const items: History["gets"][number]["items"] = [];
    this.history.gets.push({ items });
    try {
      const got = this.#first.client.getItems({ portals, mode, schedule: "FIFO" });
      for await (const item of got) items.push(item);
    } catch (error) {
      if (!isXrtcError(error)) this.history.errors.push(`get: ${String(error)}`);
    }
  }

  #weather(weather: Weather, ms: number): void {
    this.#weatherCount += 1;
    const count = this.#weatherCount;
    for (const { network } of this.#peers) network.weather = weather;
    this.#serverClock.schedule(ms, () => {
      if (count !== this.#weatherCount) return;
      for (const { network } of this.#peers) network.weather = CALM;
    });
  }

  // -- the server --------------------------------------------------------------------------------------------------

  #newCore(): ServerCore {
    const { plan, random } = { plan: this.#plan, random: fork(this.#plan.seed, 100 + this.#epoch) };
    const on = plan.extensions;
    const settings = resolveOptions({
      accounts: [{ accountId: ACCOUNT_ID, apiKeys: [...KEYS] }],
      preset: plan.preset,
      limits: {
        ringItemsMax: plan.ringItemsMax,
        ...(plan.poison ? { lineBytesMax: 600 } : {}),
      },
      extensions: { seq: on, idempotency: on, order: on },
      secondLogin: plan.secondLogin,
      dialect: plan.dialect,
      clock: this.#serverClock,
      random,
      randomBytes: (size) => random.bytes(size),
    });
    if (!plan.slowBackend) return new ServerCore(settings);
    const chance = fork(plan.seed, 1_000 + this.#epoch);
    return new ServerCore(settings, new SlowBackend(settings, chance, () => this.#calm));
  }

  #restart(downMs: number): void {
    if (this.#core === undefined) return;
    for (const { network } of this.#peers) {
      for (const exchange of [...network.open]) exchange.breakOff();
    }
    void this.#core?.close();
    this.#core = undefined;
    this.history.restarts += 1;
    const up = (): void => {
      this.#epoch += 1;
      this.#seqs.clear();
      this.#core = this.#newCore();
    };
    if (downMs === 0) up();
    else this.#serverClock.schedule(downMs, up);
  }

  #killSessions(): void {
    for (const { network } of this.#peers) {
      for (const { session } of this.history.posts) {
        if (session !== undefined) network.killed.add(session);
      }
      for (const exchange of [...network.open]) {
        if (exchange.session !== undefined) exchange.endSession();
      }
    }
  }

  /** Somebody else logs in with the first client's key. */
  #rival(): void {
    const body = Buffer.from(JSON.stringify({ accountid: ACCOUNT_ID, apikey: KEYS[0] }));
    this.#core?.handle(
      { method: "POST", path: "/v1/auth/login", headers: { host: "localhost" }, body, peer: "::1" },
      NOBODY,
    );
  }

  #handle(request: PostRequest, cookie: string | undefined, reply: ServerReply): void {
    const headers: Record<string, string> = { host: "localhost", ...request.headers };
    if (cookie === undefined) delete headers["cookie"];
    this.#core?.handle(
      {
        method: "POST",
        path: PATHS + request.url.slice(BASE_URL.length),
        headers,
        body: Buffer.from(request.body),
        peer: "127.0.0.1",
      },
      reply,
    );
  }

  #recordAppend(): Append {
    const record = (items: Parameters<Append>[1], serverTimestamp: number): void => {
      for (const { portalId, payload } of items) {
        const seq = (this.#seqs.get(portalId) ?? 0) + 1;
        this.#seqs.set(portalId, seq);
        const at = this.#clock.now;
        const item: Stored = {
          portalId,
          payload,
          serverTimestamp,
          seq,
          epoch: this.#epoch,
          at,
        };
        this.history.stored.push(item);
        this.#texts.add(payload);
        this.#lastPayloads.set(portalId, payload);
        this.#tell?.(`  + ${portalId} ${seq} ${serverTimestamp} ${payload}`);
      }
    };
    return function append(this: MemoryEngine, accountId, items) {
      // Readers are woken within the call: the record has to be there before.
      const serverTimestamp = originalAppend.call(this, accountId, items);
      record(items, serverTimestamp);
      return serverTimestamp;
    };
  }

  #newPeer(index: number): Peer {
    const clock = this.#clock.view();
    const peer = { clock, naps: 0 } as { -readonly [K in keyof Peer]: Peer[K] };
    peer.network = new SimNetwork({
      seed: this.#plan.seed,
      client: index,
      clock,
      posts: this.history.posts,
      tell: this.#tell,
      naps: () => peer.naps,
      host: {
        clock: this.#serverClock,
        isUp: () => this.#core !== undefined,
        handle: this.#handle.bind(this),
      },
    });
    peer.client = new XrtcClient({
      accountId: ACCOUNT_ID,
      apiKey: KEYS[index] as string,
      baseUrl: BASE_URL,
      environment: {},
      limits: this.#plan.preset,
      queueCountMax: this.#plan.queueCountMax,
      resumeMs: RESUME_MS,
      ports: { clock, random: fork(this.#plan.seed, 10 + index), transport: peer.network },
    });
    return peer;
  }

  // -- the end -----------------------------------------------------------------------------------------------------

  /** The faults stop; everything must drain, and what is set now must arrive. */
  #settleDown(): void {
    // The last command takes place under its own weather.
    this.#clock.settle();
    this.#tell?.("-- calm");
    const { clock } = this.#first;
    this.#weatherCount += 1;
    this.#calm = true;
    for (const { network } of this.#peers) network.weather = CALM;
    // A machine that sleeps wakes up first.
    this.#clock.run(this.#clock.now + 1);
    while (clock.isAsleep) this.#clock.run(this.#clock.now + 10_000);
    // What a client gave up may still be on its way to be stored.
    if (this.#plan.slowBackend) this.#runFor(2 * STEP_MS_MAX, () => false);
    this.#runFor(200_000, () => this.#unsettled === 0);
    for (const client of this.#peers.keys()) {
      for (const portalId of STRICT) {
        const alone = { kind: "set", client, portals: [portalId], bytes: 8, twin: false } as const;
        this.#set({ ...alone, level: "atLeastOnce", ttlMs: 120_000 }, true);
      }
    }
    this.#runFor(130_000, () => this.#unsettled === 0);
    this.#runFor(60_000, () => this.#hasArrived());
  }

  #runFor(ms: number, done: () => boolean): boolean {
    return this.#clock.run(this.#clock.now + ms, done);
  }

  /** Whether every open reader has the last item of each of its portals. */
  #hasArrived(): boolean {
    const last = this.#lastPayloads;
    return this.history.readers.every(({ open, command, delivered }) => {
      if (!open || command.slot < 0) return true;
      return command.portals.every((portalId) => {
        const payload = last.get(portalId);
        if (payload === undefined) return true;
        const got = delivered.findLast((item) => item.portalId === portalId);
        return got?.payload === payload;
      });
    });
  }

  #close(): void {
    const { rest } = this.history;
    this.#tell?.("-- close");
    this.history.counted = this.#peers.map(({ client }) => client.usage.value.used);
    const closing = Promise.all(this.#peers.map(({ client }) => client.close()));
    let closed = false;
    void closing.finally(() => {
      closed = true;
    });
    rest.closed = this.#runFor(1_000, () => closed);
    rest.exchanges = this.#peers.reduce((sum, { network }) => sum + network.open.size, 0);
    // What is still on its way, or lingers at the server, ends by itself.
    this.#runFor(30_000, () => false);
    rest.waitingGets = this.#core?.stats.waitingGets ?? 0;
    void this.#core?.close();
    rest.timers = this.#clock.timerCount;
  }
}

/** What a reader asks of the client, by which a place is known. */
const wishOf = (command: SubscribeCommand): string =>
  JSON.stringify({ ...command, slowMs: 0, at: 0 });

const nothing = (): void => {};
const NOBODY: ServerReply = {
  head: nothing,
  flush: nothing,
  write: () => true,
  end: nothing,
  onClose: nothing,
  onDrain: nothing,
};

const emptyHistory = (plan: Plan): History => ({
  plan,
  limits: { requestsPerSecondMax: 0, lineBytesMax: 0 },
  posts: [],
  stored: [],
  sets: [],
  readers: [],
  gets: [],
  restarts: 0,
  rest: { timers: 0, exchanges: 0, waitingGets: 0, closed: false },
  errors: [],
  counted: [],
  steps: 0,
});
