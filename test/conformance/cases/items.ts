import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, payloadsOf, type Session, type WireItem } from "../stage.js";
import { pause } from "../wire.js";

/** Texts that serialisers and proxies like to spoil. */
const PAYLOADS = [
  "",
  " ",
  '\\ " / \b\f\n\r\t',
  "line one\nline two\r\n",
  "\u0000\u0001\u001F\u007F",
  "\u2028\u2029\uFEFF",
  "ä ß 漢字 Ω",
  "🧪👩‍👩‍👧‍👦",
  '{"items":[]}',
  "</script><!--",
  "%7B%22a%22%3A1%7D",
  "SGVsbG8/Pz8+Pj4=",
  "SGVsbG8_Pz8-Pj4=",
  "null",
];

/** Lists cut so that each makes a request of its own. */
export function* batches(
  portalid: string,
  payloads: readonly string[],
  limits: { readonly requestBytesMax: number; readonly requestItemsMax: number },
): Generator<readonly { portalid: string; payload: string }[]> {
  let batch: { portalid: string; payload: string }[] = [];
  for (const payload of payloads) {
    const next = [...batch, { portalid, payload }];
    const bytes = Buffer.byteLength(JSON.stringify({ items: next }));
    if (
      batch.length > 0 &&
      (bytes > limits.requestBytesMax || next.length > limits.requestItemsMax)
    ) {
      yield batch;
      batch = [{ portalid, payload }];
    } else {
      batch = next;
    }
  }
  if (batch.length > 0) yield batch;
}

const numbers = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `n${at + 1}`);

async function setAll(session: Session, items: readonly object[]): Promise<void> {
  const answer = await session.call("/item/set", { items });
  assert.equal(answer.status, 200, answer.text);
}

const isRising = (items: readonly WireItem[]): boolean =>
  items.every(
    (item, at) => at === 0 || item.servertimestamp >= (items[at - 1]?.servertimestamp ?? 0),
  );

export const ITEMS: readonly Case[] = [
  {
    name: "takes every name of a portal that has its form, and keeps capitals apart",
    clauses: ["4.1"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const names = ["a", "A", "0", "constructor", "x".repeat(32), "aB3".repeat(10)];
      for (const portalid of names) await session.all(portalid);
      for (const portalid of names) await session.set(portalid, `to ${portalid}`);
      for (const portalid of names) {
        assert.deepEqual(payloadsOf(await session.fifo(portalid)), [`to ${portalid}`]);
      }
    },
  },
  {
    name: "refuses every other name of a portal",
    clauses: ["4.1"],
    async run(stage) {
      const session = await stage.session();
      for (const portalid of ["", "x".repeat(33), "ä", "a b", "a:b", "../x", "__proto__", "a\n"]) {
        const item = { portalid, payload: "x" };
        assertRefused(await session.call("/item/set", { items: [item] }), { code: 30 });
        assertRefused(await session.call("/item/get", { portals: [item] }), { code: 30 });
      }
      const { text } = await session.call("/item/get", { portals: [] });
      assert.doesNotMatch(text, /"portalid":"(?:"|[^"]*[^A-Za-z0-9"])/);
    },
  },
  {
    name: "gives an account so many portals and no more",
    clauses: ["4.2"],
    needs: ["freshAccount"],
    async run(stage) {
      const session = await stage.session();
      const { limits } = stage;
      const names = Array.from({ length: limits.portalsMax }, (_, at) => `P${at}`);
      for (const batch of batches("P0", names, limits)) {
        const items = batch.map(({ payload }) => ({ portalid: payload, payload }));
        // The name is written twice; what was reckoned with once may be too long.
        for (const half of [
          items.filter((_, at) => at % 2 === 0),
          items.filter((_, at) => at % 2),
        ]) {
          if (half.length > 0) await setAll(session, half);
        }
      }
      const item = { portalid: "onemore", payload: "x" };
      assertRefused(await session.call("/item/set", { items: [item] }), { code: 30 });
      await session.set("P0", "again");
      assert.deepEqual(payloadsOf(await session.all("P0")), ["P0", "again"]);
      assert.deepEqual(await session.all("onemore"), []);
    },
  },
  {
    name: "lets items go at their age, and the portal with them",
    clauses: ["4.3"],
    needs: ["freshAccount"],
    isHasty: true,
    waitsFor: ({ limits }) => limits.itemAgeMsMax * 1.2,
    async run(stage) {
      const session = await stage.newSession();
      await session.set("old", "x");
      const until = performance.now() + stage.limits.itemAgeMsMax * 1.2;
      while (performance.now() < until) {
        await session.get({ portals: [{ portalid: "other" }] });
        await pause(stage.limits.sessionIdleMsMax / 4);
      }
      const isLate = performance.now() - session.lastUsedAt > stage.limits.sessionIdleMsMax * 0.8;
      const again = isLate ? await stage.newSession() : session;
      assert.deepEqual(await again.fifo("old"), []);
      assert.deepEqual(await again.get({ portals: [] }), []);
    },
  },
  {
    name: "keeps the portals of accounts apart, whatever their names",
    clauses: ["4.4"],
    needs: ["freshAccount"],
    async run(stage) {
      const alice = await stage.newSession(stage.anotherAccount());
      const bob = await stage.newSession(stage.anotherAccount());
      const stream = await bob.stream("shared");
      await alice.set("shared", "of Alice");
      assert.deepEqual(await bob.fifo("shared"), []);
      assert.deepEqual(await bob.get({ portals: [] }), []);
      await bob.set("shared", "of Bob");
      await stream.until(1);
      stream.response.destroy();
      assert.doesNotMatch(stream.text, /Alice/);
      assert.deepEqual(payloadsOf(await alice.fifo("shared")), ["of Alice"]);
    },
  },
  {
    name: "gives a payload back as it was set",
    clauses: ["4.5"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payload = stage.text('ä 漢字 🧪 "quoted" \\ {"a":[1,2]} SGk/Pz8+Pg==');
      await session.set(portalid, payload);
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), [payload]);
      const base64 = stage.text("SGk_Pz8-Pg=");
      const escaped = JSON.stringify(base64).replaceAll("=", "\\u003d");
      const body = `{"items":[{"portalid":"${portalid}","payload":${escaped}}]}`;
      assert.equal((await session.call("/item/set", body)).status, 200);
      assert.deepEqual(payloadsOf(await session.fifo(portalid)), [base64]);
    },
  },
  {
    name: "gives back even payloads that serialisers like to spoil",
    clauses: ["4.5"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      for (const payload of PAYLOADS) await session.set(portalid, payload);
      assert.deepEqual(payloadsOf(await session.all(portalid)), PAYLOADS);
    },
  },
  {
    name: "answers a set with the timestamp that its items bear",
    clauses: ["4.6"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const at = await session.set(portalid, stage.text("when"));
      const [item] = await session.fifo(portalid);
      assert.equal(item?.payload, stage.text("when"));
      assert.equal(item?.servertimestamp, at);
    },
  },
  {
    name: "overwrites a portal's oldest items when its ring is full",
    clauses: ["4.7", "5.15"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const { limits } = stage;
      const portalid = await stage.portal(session);
      const payloads = numbers(limits.ringItemsMax + 20);
      for (const batch of batches(portalid, payloads, limits)) await setAll(session, batch);
      assert.deepEqual(payloadsOf(await session.all(portalid)), payloads.slice(20));
    },
  },
  {
    name: "takes a timestamp inside an item that is set, and means its own",
    clauses: ["4.8"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payload = stage.text("dated");
      const set = await session.call("/item/set", {
        items: [{ portalid, payload, servertimestamp: 1_234 }],
      });
      assert.equal(set.status, 200, set.text);
      const [item] = await session.fifo(portalid);
      assert.equal(item?.payload, payload);
      assert.equal(item?.servertimestamp, set.document["servertimestamp"]);
    },
  },
  {
    name: "serves a request of just its limit, and refuses one byte more with code 20",
    clauses: ["4.9", "4.15"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const { requestBytesMax } = stage.limits;
      const body = JSON.stringify({ items: [{ portalid, payload: "x" }] });
      const full = body + " ".repeat(requestBytesMax - Buffer.byteLength(body));
      assert.equal((await session.call("/item/set", full)).status, 200);
      assertRefused(await session.call("/item/set", `${full} `), { code: 20 });
      assert.deepEqual(payloadsOf(await session.all(portalid)), ["x"]);
    },
  },
  {
    name: "has one order for all readers of a portal",
    clauses: ["4.10"],
    needs: ["freshPortals", "otherKey"],
    async run(stage) {
      const one = await stage.session();
      const portalid = await stage.portal(one);
      const other = await stage.newSession(stage.otherKey);
      const stream = await one.stream(portalid);
      const sets = numbers(20).map((payload) => one.set(portalid, payload));
      await Promise.all(sets);
      const order = await other.all(portalid);
      assert.deepEqual(new Set(payloadsOf(order)), new Set(numbers(20)));
      assert.ok(isRising(order));
      while (!stream.text.includes(`"${order.at(-1)?.payload}"`)) {
        await stream.until(stream.lines.length + 1);
      }
      stream.response.destroy();
      const streamed = [...stream.text.matchAll(/"payload":"(n\d+)"/g)].map(([, name]) => name);
      assert.deepEqual(streamed, payloadsOf(order));
    },
  },
  {
    name: "keeps the items of one set together: one timestamp, the order of the array",
    clauses: ["4.11", "4.10"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const [p, q] = [await stage.portal(session), await stage.portal(session)];
      await session.set(p, "before");
      const items = numbers(8).map((payload, at) => ({
        portalid: at % 2 === 0 ? p : q,
        payload,
      }));
      await setAll(session, items);
      const got = await session.get({
        portals: [{ portalid: q }, { portalid: p }],
        schedule: "FIFO",
      });
      assert.deepEqual(payloadsOf(got), ["before", ...numbers(8)]);
      assert.equal(new Set(got.slice(1).map(({ servertimestamp }) => servertimestamp)).size, 1);
      assert.ok(isRising(got));
    },
  },
  {
    name: "stores all items of a set or none",
    clauses: ["4.13"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const good = { portalid, payload: "good" };
      for (const bad of [{ portalid: "a b", payload: "x" }, { portalid }, 7]) {
        const answer = await session.call("/item/set", { items: [good, bad, good] });
        assertRefused(answer, { code: 30 });
      }
      assert.deepEqual(await session.all(portalid), []);
      const { text } = await session.call("/item/get", { portals: [] });
      assert.ok(!text.includes(portalid), text);
    },
  },
  {
    name: "refuses an item that no line could hold with code 20, and gives back one that just fits",
    clauses: ["4.14", "5.14"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const { requestBytesMax, lineBytesMax } = stage.limits;
      const empty = JSON.stringify({ items: [{ portalid, payload: "" }] }).length;
      const longest = Math.min(requestBytesMax - empty, lineBytesMax);
      const items = [{ portalid, payload: "x".repeat(longest) }];
      assertRefused(await session.call("/item/set", { items }), { code: 20 });
      // What a line says beyond the payload, with the longest numbers.
      const fits = "x".repeat(lineBytesMax - empty - 70);
      await session.set(portalid, fits);
      const answer = await session.call("/item/get", { portals: [{ portalid }] });
      assert.ok(Buffer.byteLength(answer.text) <= lineBytesMax);
      assert.ok(answer.text.includes(fits));
    },
  },
];
