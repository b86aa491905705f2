import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { CoreHarness, type SessionHarness, type WireItem } from "../unit/server/core-harness.js";

const PORTALS = ["a", "b", "c"] as const;
const RING = 8;
const AGE_MS = 1_000;
const LINE_BYTES = 400;

interface Stored extends WireItem {
  readonly at: number;
  readonly order: number;
}

/** What PROTOCOL.md says of portals, written down in the plainest way, for one session. */
class Model {
  readonly #rings = new Map<string, Stored[]>();
  readonly #counts = new Map<string, number>();
  readonly #positions = new Map<string, number>();
  #order = 0;

  set(items: readonly { portalid: string; payload: string }[], now: number, time: number): void {
    for (const { portalid, payload } of items) {
      const seq = (this.#counts.get(portalid) ?? 0) + 1;
      this.#counts.set(portalid, seq);
      this.#order += 1;
      const item = { portalid, payload, servertimestamp: time, seq, at: now, order: this.#order };
      this.#rings.set(portalid, [...this.#ring(portalid), item].slice(-RING));
    }
  }

  get(
    portals: readonly { portalid: string; servertimestamp?: number }[],
    options: { schedule: "FIFO" | "LIFO"; cutoff: number },
    now: number,
  ): WireItem[] {
    const candidates: Stored[] = [];
    for (const { portalid, servertimestamp: from } of portals) {
      const alive = this.#ring(portalid).filter(({ at }) => now - at <= AGE_MS);
      if (from !== undefined) {
        const first = alive.find(({ servertimestamp }) => servertimestamp >= from);
        const position = first?.seq ?? (this.#counts.get(portalid) ?? 0) + 1;
        if (this.#counts.has(portalid)) this.#positions.set(portalid, position - 1);
      }
      const position = this.#positions.get(portalid) ?? 0;
      const fresh = alive.filter(({ seq = 0 }) => seq > position);
      const { cutoff } = options;
      candidates.push(...fresh.filter(({ at }) => cutoff < 0 || now - at <= cutoff));
    }
    const sign = options.schedule === "FIFO" ? 1 : -1;
    const line: Stored[] = [];
    for (const item of candidates.toSorted((a, b) => sign * (a.order - b.order))) {
      if (bytesOf([...line, item]) <= LINE_BYTES) line.push(item);
      else if (options.schedule === "FIFO") break;
    }
    if (line.length > 0) this.#move(portals, options.schedule, line);
    return line.map(wireOf);
  }

  #move(portals: readonly { portalid: string }[], schedule: string, line: readonly Stored[]): void {
    if (schedule === "FIFO") {
      for (const { portalid, seq = 0 } of line) this.#positions.set(portalid, seq);
      return;
    }
    for (const { portalid } of portals) {
      this.#positions.set(portalid, this.#counts.get(portalid) ?? 0);
    }
  }

  #ring(portalid: string): Stored[] {
    return this.#rings.get(portalid) ?? [];
  }
}

const wireOf = ({ portalid, payload, servertimestamp, seq = 0 }: Stored): WireItem => ({
  portalid,
  payload,
  servertimestamp,
  seq,
});

const bytesOf = (items: readonly Stored[]): number =>
  Buffer.byteLength(`${JSON.stringify({ items: items.map(wireOf) })}\n`);

const portal = fc.constantFrom(...PORTALS);
const payload = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constant("y".repeat(150)),
);

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      items: fc.array(fc.record({ portalid: portal, payload }), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("get" as const),
      portals: fc.uniqueArray(portal, { minLength: 1, maxLength: 3 }),
      back: fc.option(fc.nat(1_500), { nil: undefined }),
      schedule: fc.constantFrom("FIFO" as const, "LIFO" as const),
      cutoff: fc.oneof(fc.constant(-1), fc.nat(1_500)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(600) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("step" as const),
      ms: fc.integer({ min: -900, max: 900 }),
    }),
  },
);

/** The time of a set as the model expects it: never before that of an item in one of its portals. */
class Times {
  readonly #newest = new Map<string, number>();

  of(items: readonly { portalid: string }[], wallNow: number): number {
    const before = items.map(({ portalid }) => this.#newest.get(portalid) ?? 0);
    const time = Math.max(wallNow, ...before);
    for (const { portalid } of items) this.#newest.set(portalid, time);
    return time;
  }
}

const newServer = (): CoreHarness =>
  new CoreHarness({
    limits: {
      ringItemsMax: RING,
      itemAgeMsMax: AGE_MS,
      lineBytesMax: LINE_BYTES,
      sessionIdleMsMax: 1e9,
      requestsPerSecondMax: 1_000_000,
    },
  });

describe("the portals of the local server", () => {
  it("give what a plain model of the protocol gives, whatever is set, asked for and passes", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const server = newServer();
        const session = server.login();
        const model = new Model();
        const times = new Times();
        for (const each of commands) {
          const { clock } = server;
          if (each.kind === "pass") clock.advance(each.ms);
          else if (each.kind === "step") clock.stepWall(each.ms);
          else if (each.kind === "set") {
            const time = times.of(each.items, clock.wallNow());
            assert.equal(session.trySet(each.items).document.servertimestamp, time);
            model.set(each.items, clock.now(), time);
          } else {
            const { schedule, cutoff, back } = each;
            const reference = back === undefined ? {} : { servertimestamp: clock.wallNow() - back };
            const portals = each.portals.map((portalid) => ({ portalid, ...reference }));
            const { items = [] } = session.get(portals, { schedule, cutoff }).document;
            assert.deepEqual(items, model.get(portals, { schedule, cutoff }, clock.now()));
          }
        }
        void server.core.close();
        assert.equal(server.clock.pending, 0);
      }),
      { numRuns: 500 },
    );
  });

  it("bring every item exactly once and in order to a reader that never falls behind, over any turns", () => {
    const step = fc.oneof(
      fc.record({ set: fc.array(portal, { minLength: 1, maxLength: 4 }) }),
      fc.record({ mode: fc.constantFrom("stream", "watch", "probe") }),
      fc.record({ stall: fc.boolean() }),
      fc.record({ ms: fc.nat(3_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const limits = { sessionIdleMsMax: 1e9, requestsPerSecondMax: 1_000_000, lineItemsMax: 3 };
        const server = new CoreHarness({ limits });
        const session = server.login();
        const replies: ReturnType<SessionHarness["get"]>[] = [];
        let count = 0;
        for (const each of steps) {
          const reader = replies.at(-1);
          if ("ms" in each) server.clock.advance(each.ms);
          else if ("set" in each) {
            session.trySet(
              each.set.map((portalid) => {
                count += 1;
                return { portalid, payload: String(count) };
              }),
            );
          } else if ("stall" in each) {
            if (reader === undefined) continue;
            if (each.stall) reader.keepsUp = false;
            else reader.drain();
          } else if (reader === undefined || reader.isEnded) {
            replies.push(session.get([...PORTALS], { mode: each.mode, schedule: "FIFO" }));
          }
        }
        server.clock.advance(5_000);
        for (let turn = 0; turn <= count; turn += 1) {
          replies.push(session.get([...PORTALS], { schedule: "FIFO" }));
        }
        const received = replies.flatMap(({ payloads }) => payloads);
        assert.deepEqual(
          received,
          Array.from({ length: count }, (_, at) => String(at + 1)),
        );
        assert.ok(replies.every(({ text }) => !text.includes("\n\n")));
      }),
      { numRuns: 300 },
    );
  });
});
