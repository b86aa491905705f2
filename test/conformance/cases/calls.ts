import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, payloadsOf } from "../stage.js";

/** Milliseconds by which two clocks may differ; a wrong unit or time zone is further off. */
const CLOCK_DIFFERENCE_MS = 300_000;

const CONTENT_TYPES = [
  undefined,
  "text/plain; charset=utf-8",
  "application/x-www-form-urlencoded",
  "application/json",
];

export const CALLS: readonly Case[] = [
  {
    name: "answers POSTs of JSON with JSON, with every option left out",
    clauses: ["1.1", "5.13"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payload = stage.text("plain");
      const set = await session.call("/item/set", { items: [{ portalid, payload }] });
      assert.equal(set.status, 200, set.text);
      assert.ok(Number.isSafeInteger(set.document["servertimestamp"]), set.text);
      const items = await session.get({ portals: [{ portalid }] });
      assert.deepEqual(payloadsOf(items), [payload]);
    },
  },
  {
    name: "answers nothing but POST",
    clauses: ["1.1"],
    async run(stage) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await stage.wire().call("/item/get", "", { method });
        assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.status}`);
      }
    },
  },
  {
    name: "reads a body as JSON whatever its content type says",
    clauses: ["1.2"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      for (const type of CONTENT_TYPES) {
        const headers = type === undefined ? {} : { "content-type": type };
        const payload = stage.text(`as ${type}`);
        const set = await session.call(
          "/item/set",
          { items: [{ portalid, payload }] },
          { headers },
        );
        assert.equal(set.status, 200, `${type}: ${set.text}`);
        const got = await session.call("/item/get", { portals: [{ portalid }] }, { headers });
        assert.ok(got.text.includes(payload), `${type}: ${got.text}`);
      }
    },
  },
  {
    name: "logs in whatever the content type says",
    clauses: ["1.2"],
    async run(stage) {
      for (const type of CONTENT_TYPES) {
        const headers = type === undefined ? {} : { "content-type": type };
        const answer = await stage.loginInTime(stage.anotherAccount(), { headers });
        assert.equal(answer.status, 200, `${type}: ${answer.text}`);
      }
    },
  },
  {
    name: "takes keys without quotes",
    clauses: ["1.3"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payload = stage.text("relaxed");
      const set = `{items:[{"portalid":"${portalid}","payload":"${payload}"}]}`;
      assert.equal((await session.call("/item/set", set)).status, 200);
      const got = await session.call("/item/get", `{portals:[{"portalid":"${portalid}"}]}`);
      assert.ok(got.text.includes(payload), got.text);
    },
  },
  {
    name: "passes over members that it does not know",
    clauses: ["1.4"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const payload = stage.text("with more");
      const item = { portalid, payload, colour: "blue" };
      const set = await session.call("/item/set", { items: [item], colour: "blue" });
      assert.equal(set.status, 200, set.text);
      const got = await session.call("/item/get", {
        portals: [{ portalid, colour: "blue" }],
        colour: null,
      });
      assert.ok(got.text.includes(payload), got.text);
      assert.ok(!got.text.includes("blue"), got.text);
    },
  },
  {
    name: "counts time in milliseconds of UNIX time",
    clauses: ["1.5"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const setAt = await session.set(portalid, stage.text("now"));
      const loginAt = session.login.document["servertimestamp"] as number;
      for (const at of [setAt, loginAt]) {
        assert.ok(Number.isSafeInteger(at), String(at));
        assert.ok(Math.abs(at - Date.now()) < CLOCK_DIFFERENCE_MS + 60_000, String(at));
      }
      assert.ok(loginAt <= setAt);
    },
  },
  {
    name: "refuses what is no JSON with code 20, in the documented form",
    clauses: ["1.6", "1.8"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      for (const body of ['{"items":[', "", "plain text"]) {
        const answer = await session.call("/item/set", body);
        assertRefused(answer, { code: 20 });
      }
    },
  },
  {
    name: "refuses a portal's name and a mode that do not have their form with code 30",
    clauses: ["1.6", "1.9", "4.1"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const items = [{ portalid: "not a name", payload: "x" }];
      assertRefused(await session.call("/item/set", { items }), { code: 30 });
      const portals = [{ portalid: "p".repeat(33) }];
      assertRefused(await session.call("/item/get", { portals }), { code: 30 });
      const sideways = { portals: [{ portalid: "conformance1" }], mode: "sideways" };
      assertRefused(await session.call("/item/get", sideways), { code: 30 });
    },
  },
  {
    name: "refuses every other argument that does not have its form with code 30",
    clauses: ["1.9"],
    async run(stage) {
      const session = await stage.session();
      const [portalid, payload] = ["P", "x"];
      const portals = [{ portalid }];
      const gets: readonly object[] = [
        { portals: 1 },
        { portals: [1] },
        { portals: [{}] },
        { portals: [{ portalid: 7 }] },
        { portals: [{ portalid, servertimestamp: "noon" }] },
        { portals: [{ portalid, servertimestamp: -1 }] },
        { portals, schedule: "RANDOM" },
        { portals, cutoff: "old" },
        { portals, cutoff: -2 },
        { portals, cutoff: 1.5 },
      ];
      for (const body of gets) {
        assertRefused(await session.call("/item/get", body), { group: 6, code: 30 });
      }
      const sets: readonly object[] = [
        {},
        { items: [] },
        { items: {} },
        { items: [null] },
        { items: [{ portalid }] },
        { items: [{ payload }] },
        { items: [{ portalid, payload: 7 }] },
        { items: [{ portalid, payload: { a: 1 } }] },
      ];
      for (const body of sets) {
        assertRefused(await session.call("/item/set", body), { group: 6, code: 30 });
      }
      assertRefused(await stage.call("/auth/login", { accountid: 1 }), { group: 4, code: 30 });
    },
  },
  {
    name: "says in an error's group where it arose",
    clauses: ["1.7"],
    async run(stage) {
      const session = await stage.session();
      assertRefused(await session.call("/item/get", "{"), { group: 6 });
      assertRefused(await stage.call("/auth/login", "{"), { group: 4 });
      assertRefused(await stage.call("/auth/registrationstart", "{"), { group: 3 });
      assertRefused(await stage.call("/auth/registrationcode", {}), { group: 3 });
    },
  },
];
