import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, payloadsOf, type Session, type Stage } from "../stage.js";
import { pause } from "../wire.js";

const DENIED = { status: 401, code: 10011 };

/** How often a case that a busy machine spoilt is begun anew. */
const ATTEMPTS_MAX = 5;

const cookiesOf = (session: Session): readonly string[] =>
  (session.login.headers["set-cookie"] ?? []).map((header) => header.trim());

async function assertDenied(session: Session, options: object): Promise<void> {
  const item = { portalid: "P", payload: "x" };
  assertRefused(await session.call("/item/get", { portals: [] }, options), DENIED);
  assertRefused(await session.call("/item/set", { items: [item] }, options), DENIED);
}

/** Two logins so soon after one another that the second is one too many. */
async function twoLogins(stage: Stage): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const account = stage.anotherAccount();
    const first = await stage.loginInTime(account);
    assert.equal(first.status, 200, first.text);
    const from = performance.now();
    const second = await stage.login(account);
    if (performance.now() - from > stage.limits.loginIntervalMsMin * 0.5) continue;
    assertRefused(second, { group: 4, code: 45 });
    const third = await stage.loginInTime(account);
    assert.equal(third.status, 200, third.text);
    return;
  }
  assert.fail("two logins took longer than the time between them");
}

/** Uses a session for longer than an unused one lives. @returns whether it was used often enough to tell */
async function useOn(stage: Stage, session: Session): Promise<boolean> {
  const { sessionIdleMsMax: idleMsMax } = stage.limits;
  const until = performance.now() + idleMsMax * 2;
  let isOften = true;
  while (performance.now() < until) {
    const from = session.lastUsedAt;
    await pause(idleMsMax / 3);
    const answer = await session.call("/item/get", { portals: [] });
    if (performance.now() - from > idleMsMax * 0.8) isOften = false;
    if (isOften) assert.equal(answer.status, 200, answer.text);
  }
  return isOften;
}

export const SESSIONS: readonly Case[] = [
  {
    name: "answers a login with its time and the two cookies",
    clauses: ["3.4"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      assert.equal(session.login.status, 200);
      assert.ok(Number.isSafeInteger(session.login.document["servertimestamp"]));
      const names = cookiesOf(session).map((header) => header.split("=")[0]);
      assert.ok(names.includes("JSESSIONID"), String(names));
      assert.ok(names.includes("AWSALBAPP-0"), String(names));
    },
  },
  {
    name: "refuses every wrong account and key alike",
    clauses: ["3.5", "1.7"],
    async run(stage) {
      const { accountId, apiKey } = stage.account;
      const wrongKey = "x".repeat(32);
      const answers = [
        await stage.login({ accountId, apiKey: wrongKey }),
        await stage.login({ accountId: "AC9999999999999999", apiKey }),
        await stage.login({ accountId: "AC9999999999999999", apiKey: wrongKey }),
        await stage.login({ accountId, apiKey: "short" }),
      ];
      for (const answer of answers) assertRefused(answer, { group: 4, code: 35 });
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
      assert.ok(answers.every(({ headers }) => headers["set-cookie"] === undefined));
    },
  },
  {
    name: "refuses a second login that comes too soon, and takes one that does not",
    clauses: ["3.6"],
    isForHosted: true,
    isHasty: true,
    waitsFor: ({ limits }) => limits.loginIntervalMsMin,
    run: twoLogins,
  },
  {
    name: "denies sets and gets without a session that lives",
    clauses: ["3.7", "1.6"],
    isForHosted: true,
    async run(stage) {
      assertRefused(await stage.call("/item/get", { portals: [] }), DENIED);
      const headers = { cookie: `JSESSIONID=${"0".repeat(32)}; AWSALBAPP-0=_remove_` };
      const items = [{ portalid: "conformance1", payload: "x" }];
      assertRefused(await stage.call("/item/set", { items }, { headers }), DENIED);
    },
  },
  {
    name: "ends a session that is not used",
    clauses: ["3.9"],
    isHasty: true,
    waitsFor: ({ limits }) => limits.sessionIdleMsMax * 1.2,
    async run(stage) {
      const session = await stage.newSession();
      await session.get({ portals: [] });
      await pause(stage.limits.sessionIdleMsMax * 1.2);
      await assertDenied(session, {});
    },
  },
  {
    name: "keeps a session that is used",
    clauses: ["3.9"],
    isHasty: true,
    waitsFor: ({ limits }) => limits.sessionIdleMsMax * 2,
    async run(stage) {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        if (await useOn(stage, await stage.newSession(stage.anotherAccount()))) return;
      }
      assert.fail("the session was not used often enough");
    },
  },
  {
    name: "denies a session's cookies from another address, and keeps the session",
    clauses: ["3.10"],
    needs: ["secondAddress"],
    async run(stage) {
      const session = await stage.session();
      const elsewhere = { localAddress: stage.target.secondAddress };
      await assertDenied(session, elsewhere);
      assert.equal((await session.call("/item/get", { portals: [] })).status, 200);
    },
  },
  {
    name: "serves parallel calls of one session",
    clauses: ["3.11"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const [one, other] = await Promise.all([
        session.call("/item/set", { items: [{ portalid, payload: stage.text("one") }] }),
        session.call("/item/get", { portals: [] }),
        session.set(portalid, stage.text("another")),
      ]);
      assert.equal(one.status, 200, one.text);
      assert.equal(other.status, 200, other.text);
      const got = payloadsOf(await session.fifo(portalid));
      assert.deepEqual(new Set(got), new Set([stage.text("one"), stage.text("another")]));
    },
  },
  {
    name: "serves 25 requests of one session at a time",
    clauses: ["3.11", "6.3"],
    needs: ["freshPortals"],
    async run(stage) {
      const session = await stage.session();
      const portals = await Promise.all(
        Array.from({ length: Math.min(24, stage.limits.portalsMax) }, () => stage.portal(session)),
      );
      const streams = await Promise.all(
        Array.from({ length: 24 }, (_, at) =>
          session.stream(portals[at] ?? (portals[0] as string)),
        ),
      );
      await Promise.all(portals.map((portalid) => session.set(portalid, portalid)));
      const first = portals[0] as string;
      for (const [at, portalid] of portals.entries()) {
        if (portalid === first) continue;
        await streams[at]?.until(1);
        assert.ok(streams[at]?.text.includes(portalid));
      }
      for (const { response } of streams) response.destroy();
    },
  },
  {
    name: "sets no cookie over plain HTTP that a client would not send back",
    clauses: ["3.12"],
    needs: ["plainHttp"],
    async run(stage) {
      for (const header of cookiesOf(await stage.session())) {
        assert.doesNotMatch(header, /;\s*secure/i);
        const path = /;\s*path=([^;]*)/i.exec(header)?.[1] ?? "/";
        const base = new URL(stage.endpoint.baseUrl).pathname;
        assert.ok(`${base}/item/get`.startsWith(path), header);
      }
    },
  },
  {
    name: "leaves a key's first session alone when the key logs in again",
    clauses: ["3.13"],
    isHasty: true,
    waitsFor: ({ limits }) => limits.loginIntervalMsMin + limits.sessionIdleMsMax * 2,
    async run(stage) {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const account = stage.anotherAccount();
        const first = await stage.newSession(account);
        const isTimely = useOn(stage, first);
        const second = await stage.newSession(account);
        assert.notEqual(first.cookie, second.cookie);
        assert.equal((await second.call("/item/get", { portals: [] })).status, 200);
        if (await isTimely) return;
      }
      assert.fail("the first session was not used often enough");
    },
  },
  {
    name: "believes no X-Forwarded-For of a stranger",
    clauses: ["3.14"],
    needs: ["secondAddress"],
    async run(stage) {
      const session = await stage.session();
      const forged = { headers: { cookie: session.cookie, "x-forwarded-for": "198.51.100.7" } };
      assert.equal((await session.call("/item/get", { portals: [] }, forged)).status, 200);
      await assertDenied(session, {
        localAddress: stage.target.secondAddress,
        headers: { cookie: session.cookie, "x-forwarded-for": "127.0.0.1" },
      });
    },
  },
];
