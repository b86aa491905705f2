import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { isXrtcError, XrtcClient, type DeliveryLevel } from "../../src/index.js";
import { ServerCore } from "../../src/server/core.js";
import { resolveOptions } from "../../src/server/options.js";
import { TransportError, type PostRequest } from "../../src/transport/transport.js";
import { ScriptedTransport, type Answer } from "../support/scripted-transport.js";
import { seededRandom } from "../support/seeded-random.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { RecordedReply } from "../unit/server/core-harness.js";

const ACCOUNT = { accountId: "AC0000000000000001", apiKey: "a".repeat(32) };
const SET_END = "/item/set";

/** What becomes of one request of a set. */
interface Fate {
  readonly kind:
    "arrives" | "refused" | "lost before" | "lost after" | "cut" | "system" | "unavailable";
  readonly upMs: number;
  readonly downMs: number;
}

interface Command {
  readonly pauseMs: number;
  readonly count: number;
  readonly level: DeliveryLevel;
  readonly ttlMs: number;
  readonly isBad: boolean;
}

interface Course {
  readonly commands: readonly Command[];
  readonly fates: readonly Fate[];
  /** How the server turns away what came early. */
  readonly earlyStatus: 400 | 503;
  readonly attemptsMax: number;
}

const delayMs = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 }), fc.constant(1_500));

const course: fc.Arbitrary<Course> = fc.record({
  commands: fc.array(
    fc.record({
      pauseMs: fc.constantFrom(0, 0, 1, 2, 30, 700),
      count: fc.integer({ min: 1, max: 4 }),
      level: fc.constantFrom<DeliveryLevel[]>("atLeastOnce", "atLeastOnce", "atMostOnce"),
      ttlMs: fc.constantFrom(60_000, 60_000, 2_500),
      isBad: fc.nat(4).map((roll) => roll === 0),
    }),
    { minLength: 4, maxLength: 25 },
  ),
  fates: fc.array(
    fc.record({
      kind: fc.constantFrom<Fate["kind"][]>(
        ...(["arrives", "arrives", "arrives", "arrives", "arrives", "arrives"] as const),
        ...(["refused", "lost before", "lost after", "cut", "system", "unavailable"] as const),
      ),
      upMs: delayMs,
      downMs: delayMs,
    }),
    { maxLength: 80 },
  ),
  earlyStatus: fc.constantFrom(400, 503),
  attemptsMax: fc.constantFrom(2, 6),
});

interface Done {
  readonly payloads: readonly string[];
  readonly command: Command;
  end?: { readonly ok: boolean; readonly outcome: string | undefined };
}

/** The real client and the real server's core, and between them what the script says. */
class Stage {
  readonly clock = new VirtualClock();
  readonly done: Done[] = [];
  readonly #course: Course;
  readonly #core: ServerCore;
  readonly #client: XrtcClient;
  #sets = 0;

  constructor(script: Course) {
    this.#course = script;
    const random = seededRandom(1);
    this.#core = new ServerCore(
      resolveOptions({
        accounts: [{ accountId: ACCOUNT.accountId, apiKeys: [ACCOUNT.apiKey] }],
        limits: { loginIntervalMsMin: 0, portalsMax: 1 },
        clock: this.clock,
      }),
    );
    let ids = 0;
    this.#client = new XrtcClient({
      ...ACCOUNT,
      baseUrl: "http://localhost/v1",
      environment: {},
      limits: { loginIntervalMsMin: 0, requestItemsMax: 4 },
      attemptsMax: script.attemptsMax,
      ports: {
        clock: this.clock,
        random: { next: random, id: () => `id${(ids += 1)}` },
        transport: new ScriptedTransport((request) => this.#carry(request)),
      },
    });
  }

  async run(): Promise<void> {
    const opened = this.#client.open();
    await this.clock.advance(10);
    await opened;
    // The server has room for one portal: what names another is refused for its content.
    const first = this.#client.setItems([{ portalId: "p", payload: "first" }]);
    await this.clock.advance(10);
    await first;
    for (const command of this.#course.commands) {
      if (command.pauseMs > 0) await this.clock.advance(command.pauseMs);
      this.#set(command);
    }
    await this.clock.advance(200_000);
  }

  async close(): Promise<void> {
    await this.#client.close();
    void this.#core.close();
  }

  /** What the portal holds. */
  stored(): string[] {
    const reply = this.#handle("/v1/auth/login", { "content-type": "application/json" }, LOGIN);
    const cookie = [reply.headers["set-cookie"] ?? []].flat()[0]?.split(";")[0] ?? "";
    const body = JSON.stringify({ portals: [{ portalid: "p" }], schedule: "FIFO" });
    return this.#handle("/v1/item/get", { cookie }, body).payloads;
  }

  #set(command: Command): void {
    const payloads = Array.from({ length: command.count }, (_, at) => `${this.done.length}.${at}`);
    const done: Done = { payloads, command };
    this.done.push(done);
    const portalId = command.isBad ? "other" : "p";
    const { level, ttlMs } = command;
    const items = payloads.map((payload) => ({ portalId, payload }));
    void this.#settle(done, this.#client.setItems(items, { level, ttlMs }));
  }

  async #settle(done: Done, setting: Promise<unknown>): Promise<void> {
    try {
      await setting;
      done.end = { ok: true, outcome: undefined };
    } catch (error) {
      done.end = { ok: false, outcome: isXrtcError(error) ? error.outcome : String(error) };
    }
  }

  #handle(path: string, headers: Readonly<Record<string, string>>, body: string): RecordedReply {
    const reply = new RecordedReply();
    const request = { method: "POST", path, headers: { host: "localhost", ...headers } };
    this.#core.handle({ ...request, body: Buffer.from(body), peer: "127.0.0.1" }, reply);
    return reply;
  }

  async #carry(request: PostRequest): Promise<Answer | Error> {
    const path = new URL(request.url).pathname;
    if (!path.endsWith(SET_END)) {
      return this.#answerOf(this.#handle(path, request.headers, request.body));
    }
    const fate = this.#course.fates[this.#sets - 1] ?? { kind: "arrives", upMs: 1, downMs: 1 };
    this.#sets += 1;
    await this.#sleep(fate.upMs);
    if (fate.kind === "refused") return new TransportError("connect", false, new Error("no"));
    if (fate.kind === "lost before") return new TransportError("broken", true, new Error("gone"));
    if (fate.kind === "system") return { status: 400, body: [SYSTEM] };
    if (fate.kind === "unavailable") return { status: 503, body: ["<h1>busy</h1>"] };
    const reply = this.#handle(path, request.headers, request.body);
    while (!reply.isEnded) await this.#sleep(1);
    await this.#sleep(fate.downMs);
    if (fate.kind === "lost after") return new TransportError("broken", true, new Error("gone"));
    const answer = this.#answerOf(reply);
    const cut = new TransportError("broken", true, new Error("cut"));
    return fate.kind === "cut" ? { ...answer, body: ["{"], cut } : answer;
  }

  #answerOf(reply: RecordedReply): Answer {
    const isEarly = reply.status === 400 && reply.refusal[1] === 2;
    return {
      status: isEarly ? this.#course.earlyStatus : reply.status,
      cookies: [reply.headers["set-cookie"] ?? []].flat(),
      body: [reply.text],
    };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.schedule(ms, resolve);
    });
  }
}

const SYSTEM = '{"error":{"errorgroup":2,"errorcode":99,"errormessage":"system"}}';
const LOGIN = JSON.stringify({ accountid: ACCOUNT.accountId, apikey: ACCOUNT.apiKey });

describe("Ordered sets on a bad network", function () {
  this.timeout(120_000);

  it("are stored as the client says, once and in the order of the calls", async () => {
    await fc.assert(
      fc.asyncProperty(course, async (script) => {
        const stage = new Stage(script);
        await stage.run();
        const stored = stage.stored();
        const confirmed: string[] = [];
        for (const { payloads, command, end } of stage.done) {
          assert.ok(end !== undefined, `${payloads[0]} has no end`);
          const copies = stored.filter((payload) => payload === payloads[0]).length;
          assert.ok(copies <= 1, `${payloads[0]} is stored ${copies} times`);
          if (end.ok) confirmed.push(...payloads);
          if (end.ok || end.outcome === "fail") assert.equal(copies, end.ok ? 1 : 0);
          if (command.isBad) assert.equal(end.ok, false);
        }
        const isConfirmed = new Set(confirmed);
        assert.deepEqual(
          stored.filter((payload) => isConfirmed.has(payload)),
          confirmed,
        );
        await stage.close();
        assert.equal(stage.clock.timerCount, 0);
      }),
      { numRuns: 100 },
    );
  });
});
