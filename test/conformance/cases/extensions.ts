import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, payloadsOf, type Session } from "../stage.js";
import type { Answer } from "../wire.js";

const items = (...payloads: readonly string[]): object => ({
  items: payloads.map((payload) => ({ portalid: "P", payload })),
});

const withKey = (session: Session, key: string, payload: string): Promise<Answer> =>
  session.call("/item/set", items(payload), { headers: { "idempotency-key": key } });

const inOrder = (session: Session, number: number, payload: string): Promise<Answer> =>
  session.call("/item/set", items(payload), {
    headers: { "xrtc-producer": "A", "xrtc-sequence": String(number) },
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
    needs: ["noExtensions", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      assert.deepEqual(Object.keys(session.login.document), ["servertimestamp"]);
      for (const payload of ["one", "two"]) {
        const headers = { "idempotency-key": "same", "xrtc-producer": "A", "xrtc-sequence": "7" };
        const answer = await session.call("/item/set", items(payload), { headers });
        assert.equal(answer.status, 200, answer.text);
      }
      const got = await session.fifo("P");
      assert.deepEqual(payloadsOf(got), ["one", "two"]);
      assert.ok(got.every((item) => !("seq" in item)));
    },
  },
  {
    name: "numbers the items of a portal from 1 without holes",
    clauses: ["7.2"],
    needs: ["seq", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      assert.match(session.login.document["epoch"] as string, /^\S{1,64}$/);
      await session.set("P", "one", "two");
      await session.set("Q", "apart");
      await session.set("P", "three");
      const got = await session.get({
        portals: [{ portalid: "P" }, { portalid: "Q" }],
        schedule: "FIFO",
      });
      assert.deepEqual(
        got.map(({ portalid, payload, seq }) => [portalid, payload, seq]),
        [
          ["P", "one", 1],
          ["P", "two", 2],
          ["Q", "apart", 1],
          ["P", "three", 3],
        ],
      );
      const other = await stage.newSession(stage.otherKey);
      assert.equal(other.login.document["epoch"], session.login.document["epoch"]);
    },
  },
  {
    name: "stores a set once whose key and body come again, and answers as before",
    clauses: ["7.3"],
    needs: ["idempotency", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      const other = await stage.newSession(stage.otherKey);
      const first = await withKey(session, "k1", "once");
      assert.equal(first.status, 200, first.text);
      for (const again of [
        await withKey(session, "k1", "once"),
        await withKey(other, "k1", "once"),
      ]) {
        assert.equal(again.status, 200, again.text);
        assert.equal(again.text, first.text);
      }
      const atOnce = await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          withKey(at % 2 === 0 ? session : other, "k2", "twice?"),
        ),
      );
      assert.equal(new Set(atOnce.map(({ status, text }) => `${status} ${text}`)).size, 1);
      assert.equal(atOnce[0]?.status, 200, atOnce[0]?.text);
      assert.equal((await withKey(session, "k3", "once")).status, 200);
      assert.deepEqual(payloadsOf(await session.all("P")), ["once", "twice?", "once"]);
    },
  },
  {
    name: "refuses a known key with another body",
    clauses: ["7.4"],
    needs: ["idempotency", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      assert.equal((await withKey(session, "k", "one")).status, 200);
      assertRefused(await withKey(session, "k", "two"), { group: 6, code: 30 });
      assert.deepEqual(payloadsOf(await session.all("P")), ["one"]);
    },
  },
  {
    name: "applies numbered sets in the order of their numbers",
    clauses: ["7.6"],
    needs: ["order", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      const numbers = [3, 1, 5, 2, 4];
      const answers = await Promise.all(
        numbers.map((number) => inOrder(session, number, `n${number}`)),
      );
      for (const answer of answers) assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(payloadsOf(await session.all("P")), ["n1", "n2", "n3", "n4", "n5"]);
    },
  },
  {
    name: "turns a numbered set away whose predecessors do not come, and takes it later",
    clauses: ["7.7"],
    needs: ["order", "freshAccount"],
    async run(stage) {
      const session = await stage.session();
      const from = performance.now();
      assertRefused(await inOrder(session, 2, "two"), { group: 2 });
      assert.ok(performance.now() - from < 4_000, "it waits at most 1 s");
      assert.deepEqual(await session.all("P"), []);
      assert.equal((await inOrder(session, 1, "one")).status, 200);
      assert.equal((await inOrder(session, 2, "two")).status, 200);
      assert.deepEqual(payloadsOf(await session.all("P")), ["one", "two"]);
    },
  },
];
