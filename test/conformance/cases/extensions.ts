import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, payloadsOf, type Session } from "../stage.js";
import type { Answer } from "../wire.js";

/** Sets one item with headers of its own. */
const setWith = (
  session: Session,
  headers: Readonly<Record<string, string>>,
  item: { readonly portalid: string; readonly payload: string },
): Promise<Answer> =>
  session.call("/item/set", { items: [item] }, { headers: { cookie: session.cookie, ...headers } });

const keyed = (key: string): Readonly<Record<string, string>> => ({ "idempotency-key": key });

const numbered = (producer: string, number: number): Readonly<Record<string, string>> => ({
  "xrtc-producer": producer,
  "xrtc-sequence": String(number),
});

export const EXTENSIONS: readonly Case[] = [
  {
    name: "names the extensions that it offers, and no others",
    clauses: ["7.1"],
    async run(stage) {
      const { login } = await stage.session();
      const named = (login.document["extensions"] ?? []) as readonly string[];
      assert.deepEqual(named.toSorted(), stage.target.extensions.toSorted());
    },
  },
  {
    name: "shows nothing of extensions that it does not offer",
    clauses: ["7.1"],
    needs: ["noExtensions"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      assert.deepEqual(Object.keys(session.login.document), ["servertimestamp"]);
      for (const payload of ["one", "two"]) {
        const headers = { ...keyed(stage.word("k")), ...numbered(stage.word("p"), 7) };
        const answer = await setWith(session, headers, { portalid, payload });
        assert.equal(answer.status, 200, answer.text);
      }
      const got = await session.fifo(portalid);
      assert.deepEqual(payloadsOf(got), ["one", "two"]);
      assert.ok(got.every((item) => !("seq" in item)));
    },
  },
  {
    name: "numbers the items of a portal from 1 without holes",
    clauses: ["7.2"],
    needs: ["seq", "freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const [p, q] = [await stage.portal(session), await stage.portal(session)];
      await session.set(p, "one", "two");
      await session.set(q, "apart");
      await session.set(p, "three");
      const got = await session.get({
        portals: [{ portalid: p }, { portalid: q }],
        schedule: "FIFO",
      });
      assert.deepEqual(
        got.map(({ portalid, payload, seq }) => [portalid, payload, seq]),
        [
          [p, "one", 1],
          [p, "two", 2],
          [q, "apart", 1],
          [p, "three", 3],
        ],
      );
    },
  },
  {
    name: "names the epoch of its numbers at each login",
    clauses: ["7.2"],
    needs: ["seq"],
    isHasty: true,
    waitsFor: ({ limits }) => limits.loginIntervalMsMin,
    async run(stage) {
      const [one, other] = [await stage.newSession(), await stage.newSession()];
      assert.match(one.login.document["epoch"] as string, /^\S{1,64}$/);
      assert.equal(other.login.document["epoch"], one.login.document["epoch"]);
    },
  },
  {
    name: "stores a set once whose key and body come again, and answers as before",
    clauses: ["7.3"],
    needs: ["idempotency", "otherKey"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const other = await stage.newSession(stage.otherKey);
      const set = (by: Session, key: string, payload: string): Promise<Answer> =>
        setWith(by, keyed(stage.word(key)), { portalid, payload });
      const first = await set(session, "k1", "once");
      assert.equal(first.status, 200, first.text);
      for (const again of [await set(session, "k1", "once"), await set(other, "k1", "once")]) {
        assert.equal(again.status, 200, again.text);
        assert.equal(again.text, first.text);
      }
      const atOnce = await Promise.all(
        Array.from({ length: 8 }, (_, at) => set(at % 2 === 0 ? session : other, "k2", "twice?")),
      );
      assert.equal(new Set(atOnce.map(({ status, text }) => `${status} ${text}`)).size, 1);
      assert.equal(atOnce[0]?.status, 200, atOnce[0]?.text);
      assert.equal((await set(session, "k3", "once")).status, 200);
      assert.deepEqual(payloadsOf(await session.all(portalid)), ["once", "twice?", "once"]);
    },
  },
  {
    name: "refuses a known key with another body",
    clauses: ["7.4"],
    needs: ["idempotency"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const set = (payload: string): Promise<Answer> =>
        setWith(session, keyed(stage.word("k")), { portalid, payload });
      assert.equal((await set("one")).status, 200);
      assertRefused(await set("two"), { group: 6, code: 30 });
      assert.deepEqual(payloadsOf(await session.all(portalid)), ["one"]);
    },
  },
  {
    name: "applies numbered sets in the order of their numbers",
    clauses: ["7.6"],
    needs: ["order"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const answers = await Promise.all(
        [3, 1, 5, 2, 4].map((number) =>
          setWith(session, numbered(stage.word("p"), number), { portalid, payload: `n${number}` }),
        ),
      );
      for (const answer of answers) assert.equal(answer.status, 200, answer.text);
      const got = payloadsOf(await session.all(portalid));
      assert.deepEqual(got, ["n1", "n2", "n3", "n4", "n5"]);
    },
  },
  {
    name: "turns a numbered set away whose predecessors do not come, and takes it later",
    clauses: ["7.7"],
    needs: ["order"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const set = (number: number, payload: string): Promise<Answer> =>
        setWith(session, numbered(stage.word("p"), number), { portalid, payload });
      const from = performance.now();
      assertRefused(await set(2, "two"), { group: 2 });
      assert.ok(performance.now() - from < 4_000, "it waits at most 1 s");
      assert.deepEqual(await session.all(portalid), []);
      assert.equal((await set(1, "one")).status, 200);
      assert.equal((await set(2, "two")).status, 200);
      assert.deepEqual(payloadsOf(await session.all(portalid)), ["one", "two"]);
    },
  },
];
