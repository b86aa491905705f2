import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { payloadsOf, type Session, type Stage } from "../stage.js";
import { pause } from "../wire.js";
import { batches } from "./items.js";

/** How often a case that a busy machine spoilt is begun anew. */
const ATTEMPTS_MAX = 5;

/** Items of which no line can hold all five. */
const large = (stage: Stage): readonly string[] =>
  ["one", "two", "three", "four", "five"].map((name) =>
    `${name} `.padEnd(Math.floor(stage.limits.lineBytesMax / 3.6), "."),
  );

async function setLarge(stage: Stage, session: Session, portalid: string): Promise<string[]> {
  const payloads = large(stage);
  for (const payload of payloads) await session.set(portalid, payload);
  return [...payloads];
}

export const GETS: readonly Case[] = [
  {
    name: "answers items in their form, and {} when there are none",
    clauses: ["5.1"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const servertimestamp = await session.set(portalid, stage.text("form"));
      const full = await session.call("/item/get", { portals: [{ portalid }] });
      const { items } = full.document as { items: readonly Record<string, unknown>[] };
      assert.equal(items.length, 1);
      const { seq, ...item } = items[0] as Record<string, unknown>;
      assert.deepEqual(item, { portalid, payload: stage.text("form"), servertimestamp });
      assert.equal(seq !== undefined, stage.offers("seq"));
      const empty = await session.call("/item/get", { portals: [{ portalid }] });
      assert.equal(empty.text.trim(), "{}");
    },
  },
  {
    name: "answers what is new in a portal since the session's last get",
    clauses: ["5.2"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      await session.set(portalid, stage.text("first"));
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), [stage.text("first")]);
      assert.deepEqual(await session.fifo(portalid), []);
      await session.set(portalid, stage.text("second"));
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), [stage.text("second")]);
    },
  },
  {
    name: "answers the latest item of a portal to a get that names none, read or not",
    clauses: ["5.3", "5.4"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      await session.set(portalid, stage.text("older"));
      await session.set(portalid, stage.text("latest"));
      await session.all(portalid);
      const requests = [
        { portals: [] },
        { portals: null },
        { portals: [], mode: "stream", schedule: "FIFO", cutoff: 0 },
        { portals: null, mode: "watch", cutoff: 0 },
      ] as const;
      for (const request of requests) {
        const from = performance.now();
        const answer = await session.call("/item/get", request);
        assert.ok(answer.text.includes(stage.text("latest")), answer.text);
        assert.ok(!answer.text.includes(stage.text("older")), answer.text);
        assert.ok(performance.now() - from < stage.limits.getTimeoutMs * 0.7, "at once");
      }
    },
  },
  {
    name: "lists every portal of the account with its latest item alone, and moves no place",
    clauses: ["5.3", "5.19"],
    needs: ["freshAccount"],
    async run(stage) {
      const session = await stage.session();
      const names = ["A", "B", "C"];
      for (const portalid of names)
        await session.set(portalid, `old ${portalid}`, `new ${portalid}`);
      for (let time = 0; time < 2; time += 1) {
        const listed = await session.get({ portals: [] });
        assert.deepEqual(
          new Map(listed.map(({ portalid, payload }) => [portalid, payload])),
          new Map(names.map((name) => [name, `new ${name}`])),
        );
      }
      assert.deepEqual(payloadsOf(await session.fifo("B")), ["old B", "new B"]);
    },
  },
  {
    name: "answers a probe at once, and takes a get without a mode for one",
    clauses: ["5.5", "5.13"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portals = [{ portalid: await stage.portal(session) }];
      for (const request of [{ portals }, { portals, mode: "probe" }] as const) {
        const from = performance.now();
        assert.deepEqual(await session.get(request), []);
        assert.ok(performance.now() - from < stage.limits.getTimeoutMs * 0.7, "at once");
      }
    },
  },
  {
    name: "answers a watch as soon as one of its portals has something new",
    clauses: ["5.6"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const [one, other] = [await stage.portal(session), await stage.portal(session)];
      const from = performance.now();
      const portals = [{ portalid: one }, { portalid: other }];
      const watching = session.get({ portals, mode: "watch" });
      await pause(150);
      await session.set(other, stage.text("woken"));
      assert.deepEqual(payloadsOf(await watching), [stage.text("woken")]);
      assert.ok(performance.now() - from < stage.limits.getTimeoutMs * 0.7, "not at the end");
      await session.set(one, stage.text("there already"));
      const again = await session.get({ portals, mode: "watch" });
      assert.deepEqual(payloadsOf(again), [stage.text("there already")]);
    },
  },
  {
    name: "answers a watch with {} when its time is over",
    clauses: ["5.7"],
    isForHosted: true,
    isHasty: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const from = performance.now();
      assert.deepEqual(await session.get({ portals: [{ portalid }], mode: "watch" }), []);
      const tookMs = performance.now() - from;
      assert.ok(tookMs > stage.limits.getTimeoutMs * 0.7, `after ${tookMs} ms`);
      assert.ok(tookMs < stage.limits.getTimeoutMs + 5_000, `after ${tookMs} ms`);
    },
  },
  {
    name: "answers newest first, by default and when asked to",
    clauses: ["5.9", "5.13"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const names = ["one", "two", "three"].map((name) => stage.text(name));
      for (const schedule of [undefined, "LIFO"] as const) {
        for (const payload of names) await session.set(portalid, payload);
        const portals = [{ portalid }];
        const got = await session.get(schedule === undefined ? { portals } : { portals, schedule });
        assert.deepEqual(payloadsOf(got), names.toReversed());
      }
    },
  },
  {
    name: "answers oldest first when asked to",
    clauses: ["5.10"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const names = ["one", "two", "three"].map((name) => stage.text(name));
      for (const payload of names) await session.set(portalid, payload);
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), names);
    },
  },
  {
    name: "skips what does not fit newest first, and reads on after all of it",
    clauses: ["5.9", "5.17"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payloads = await setLarge(stage, session, portalid);
      const got = payloadsOf(await session.get({ portals: [{ portalid }] }));
      assert.ok(got.length > 0 && got.length < payloads.length, String(got.length));
      assert.deepEqual(got, payloads.toReversed().slice(0, got.length));
      assert.deepEqual(await session.fifo(portalid), []);
      await session.set(portalid, "next");
      assert.deepEqual(payloadsOf(await session.get({ portals: [{ portalid }] })), ["next"]);
    },
  },
  {
    name: "brings oldest first in the next line what does not fit into one",
    clauses: ["5.10", "5.16"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payloads = await setLarge(stage, session, portalid);
      const first = payloadsOf(await session.fifo(portalid));
      assert.ok(first.length > 0 && first.length < payloads.length, String(first.length));
      assert.deepEqual([...first, ...payloadsOf(await session.all(portalid))], payloads);
    },
  },
  {
    name: "leaves out what is older than the cutoff, and nothing by default",
    clauses: ["5.11"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const portals = [{ portalid: await stage.portal(session) }];
        const portalid = portals[0]?.portalid ?? "";
        await session.set(portalid, stage.text("old"));
        await pause(1_500);
        const from = performance.now();
        await session.set(portalid, stage.text("young"));
        const got = await session.get({ portals, schedule: "FIFO", cutoff: 1_000 });
        if (performance.now() - from > 700) continue;
        assert.deepEqual(payloadsOf(got), [stage.text("young")]);
        await session.set(portalid, stage.text("any"));
        const all = await session.get({ portals, schedule: "FIFO", cutoff: -1 });
        assert.deepEqual(payloadsOf(all), [stage.text("any")]);
        return;
      }
      assert.fail("two requests took longer than the cutoff");
    },
  },
  {
    name: "starts at the reference time, whatever was read before",
    clauses: ["5.12", "5.20"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const times: number[] = [];
      for (const payload of ["a", "b", "c"]) {
        let at = await session.set(portalid, payload);
        // The next item has a later time: the server's clock goes on between two requests.
        while (times.at(-1) === at) at = await session.set(portalid, payload);
        times.push(at);
        await pause(5);
      }
      assert.equal((await session.all(portalid)).length >= 3, true);
      const from = async (servertimestamp: number): Promise<readonly string[]> =>
        payloadsOf(
          await session.get({ portals: [{ portalid, servertimestamp }], schedule: "FIFO" }),
        );
      const [, second = 0] = times;
      assert.deepEqual(await from(second), ["b", "c"]);
      assert.deepEqual(await session.fifo(portalid), []);
      assert.deepEqual(await from(second + 1), ["c"]);
      assert.deepEqual(await from(0), []);
      assert.deepEqual(await from(second + 3_600_000), []);
    },
  },
  {
    name: "keeps every line of an answer within its bytes and items",
    clauses: ["5.14", "5.16"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const { limits } = stage;
      const portalid = await stage.portal(session);
      const count = Math.min(limits.ringItemsMax, limits.lineItemsMax * 2 + 5);
      const payloads = Array.from({ length: count }, (_, at) => `${at}`);
      for (const batch of batches(portalid, payloads, limits)) {
        assert.equal((await session.call("/item/set", { items: batch })).status, 200);
      }
      const stream = await session.stream(portalid);
      while (!stream.text.includes(`"${count - 1}"`)) await stream.until(stream.lines.length + 1);
      stream.response.destroy();
      assert.ok(stream.lines.length > 1);
      const got = stream.lines.map((line) => JSON.parse(line) as { items: { payload: string }[] });
      for (const [at, line] of stream.lines.entries()) {
        assert.ok(Buffer.byteLength(line) + 1 <= limits.lineBytesMax, `line ${at}`);
        assert.ok((got[at]?.items.length ?? 0) <= limits.lineItemsMax, `line ${at}`);
      }
      assert.deepEqual(
        got.flatMap(({ items }) => items.map(({ payload }) => payload)),
        payloads,
      );
    },
  },
  {
    name: "lets another session begin at the oldest item that there is",
    clauses: ["5.15", "5.2"],
    needs: ["freshPortals", "otherKey"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      await session.set(portalid, "one");
      await session.set(portalid, "two");
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), ["one", "two"]);
      const other = await stage.newSession(stage.otherKey);
      assert.deepEqual(payloadsOf(await other.fifo(portalid)), ["one", "two"]);
      assert.deepEqual(await session.fifo(portalid), []);
    },
  },
];
