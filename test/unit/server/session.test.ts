import { strict as assert } from "node:assert";
import { ALICE, BOB, CoreHarness, cookiesOf, STREAM } from "./core-harness.js";

const DENIED = [401, 4, 10011];

/** What a proxy writes for a client that wrote something there itself. */
const behind = (address: string): Record<string, string> => ({
  "x-forwarded-for": `6.6.6.6, ${address}`,
});

describe("a session of the local server", () => {
  it("is answered with the server's time and two cookies that scripts and other sites do not get", () => {
    const server = new CoreHarness();
    const reply = server.tryLogin();
    assert.equal(reply.document.servertimestamp, server.clock.wallNow());
    const [session = "", balancer = ""] = reply.headers["set-cookie"] as string[];
    assert.match(session, /^JSESSIONID=[0-9A-F]{32}; /);
    assert.match(balancer, /^AWSALBAPP-0=[\w-]+; /);
    for (const cookie of [session, balancer]) {
      assert.match(cookie, /; Path=\/v1; HttpOnly; SameSite=Strict$/);
    }
  });

  it("gets a new id at each login", () => {
    const server = new CoreHarness();
    const first = server.login();
    server.clock.advance(5_000);
    const sent = { headers: { cookie: first.cookie } };
    assert.notEqual(cookiesOf(server.tryLogin(ALICE, sent)), first.cookie);
  });

  it("ends when it was not used for a minute, and not before", () => {
    const server = new CoreHarness();
    const session = server.login();
    server.clock.advance(60_000);
    assert.equal(session.get(["P"]).status, 200);
    server.clock.advance(60_000);
    assert.equal(session.get(["P"]).status, 200);
    server.clock.advance(60_001);
    assert.deepEqual(session.get(["P"]).refusal, DENIED);
    assert.equal(server.core.stats.sessions, 0);
  });

  it("is forgotten a while after its end although nobody asks for it", () => {
    const server = new CoreHarness();
    server.login();
    server.clock.advance(130_000);
    assert.equal(server.core.stats.sessions, 0);
    assert.equal(server.clock.pending, 0);
  });

  it("does not end while a get is open, and its minute counts from the get's end", () => {
    const server = new CoreHarness({ limits: { getTimeoutMs: 90_000 } });
    const session = server.login();
    session.get(["P"], STREAM);
    server.clock.advance(89_000);
    assert.equal(session.get(["Q"]).status, 200);
    server.clock.advance(60_000);
    assert.equal(session.get(["Q"]).status, 200);
  });

  it("does not work from another address, whatever X-Forwarded-For says (A3)", () => {
    const server = new CoreHarness();
    const { cookie } = server.login();
    const headers = { cookie, "x-forwarded-for": "127.0.0.1" };
    const foreign = server.post("/v1/item/get", { portals: [] }, { headers, peer: "127.0.0.2" });
    assert.deepEqual(foreign.refusal, DENIED);
    const own = server.post("/v1/item/get", { portals: [] }, { headers: { cookie } });
    assert.equal(own.status, 200);
  });

  it("takes the three names of the local machine for one address", () => {
    const server = new CoreHarness();
    const { cookie } = server.login();
    for (const peer of ["::1", "::ffff:127.0.0.1", "127.0.0.1"]) {
      const reply = server.post("/v1/item/get", { portals: [] }, { headers: { cookie }, peer });
      assert.equal(reply.status, 200, peer);
    }
  });

  it("belongs to the address behind a trusted proxy, which only that proxy can name", () => {
    const server = new CoreHarness({ trustedProxies: ["10.0.0.1"] });
    const reply = server.tryLogin(ALICE, { peer: "10.0.0.1", headers: behind("10.1.1.1") });
    const cookie = cookiesOf(reply);
    const get = (peer: string, headers: Record<string, string>): number =>
      server.post("/v1/item/get", { portals: [] }, { peer, headers: { cookie, ...headers } })
        .status;
    assert.equal(get("10.0.0.1", behind("10.1.1.1")), 200);
    assert.equal(get("10.0.0.1", behind("10.1.1.2")), 401);
    assert.equal(get("10.9.9.9", behind("10.1.1.1")), 401);
  });

  it("is denied without a cookie, with another's, and with one that was never given", () => {
    const server = new CoreHarness();
    for (const headers of [
      {},
      { cookie: "JSESSIONID=" },
      { cookie: `JSESSIONID=${"0".repeat(32)}` },
    ]) {
      assert.deepEqual(server.post("/v1/item/get", { portals: [] }, { headers }).refusal, DENIED);
      assert.deepEqual(server.post("/v1/item/set", "", { headers }).refusal, DENIED);
    }
  });

  it("lives on beside a second session of the same key", () => {
    const server = new CoreHarness();
    const first = server.login();
    server.clock.advance(5_000);
    const second = server.login();
    second.set("P", "x");
    assert.deepEqual(first.get(["P"]).payloads, ["x"]);
    assert.deepEqual(second.get(["P"]).payloads, ["x"]);
  });

  it("ends with the second login of its key where the server is told so, and its streams end cleanly", () => {
    const server = new CoreHarness({ secondLogin: "end" });
    const first = server.login();
    const other = server.login(BOB);
    const stream = first.get(["P"], STREAM);
    server.clock.advance(5_000 - 1);
    assert.equal(stream.isEnded, false);
    server.clock.advance(1);
    const again = first.get(["P"], STREAM);
    server.login();
    assert.equal(again.isEnded, true);
    assert.deepEqual(first.get(["P"]).refusal, DENIED);
    assert.equal(other.get(["P"]).status, 200);
  });
});

describe("a login at the local server", () => {
  it("is refused in one and the same way for every wrong credential", () => {
    const server = new CoreHarness();
    const wrong = [
      { accountId: ALICE.accountId, apiKey: BOB.apiKey },
      { accountId: "AC9999", apiKey: ALICE.apiKey },
      { accountId: "", apiKey: "" },
      { accountId: "__proto__", apiKey: ALICE.apiKey },
    ];
    const answers = wrong.map((who) => server.tryLogin(who));
    for (const answer of answers) {
      assert.deepEqual(answer.refusal, [400, 4, 35]);
      assert.equal(answer.text, answers[0]?.text);
      assert.equal(answer.headers["set-cookie"], undefined);
    }
  });

  it("is refused with 45 within 5 s of the last one with the key, and a refused one does not count", () => {
    const server = new CoreHarness();
    server.login();
    server.clock.advance(2_500);
    assert.deepEqual(server.tryLogin().refusal, [400, 4, 45]);
    server.clock.advance(2_499);
    assert.deepEqual(server.tryLogin().refusal, [400, 4, 45]);
    assert.equal(server.tryLogin(BOB).status, 200);
    server.clock.advance(1);
    assert.equal(server.tryLogin().status, 200);
  });

  it("succeeds for the owner of the key while a stranger at the same address tries keys (A1)", () => {
    const server = new CoreHarness();
    const stranger = { accountId: ALICE.accountId, apiKey: "c".repeat(32) };
    const statuses = Array.from({ length: 200 }, () => server.tryLogin(stranger));
    assert.equal(statuses.filter(({ status }) => status === 400).length, 20);
    const [last] = statuses.slice(-1);
    assert.deepEqual(last?.refusal, [429, 2, 429]);
    assert.match(String(last?.headers["retry-after"]), /^\d+$/);
    assert.equal(server.tryLogin().status, 200);
    assert.equal(server.tryLogin(stranger, { peer: "10.0.0.7" }).status, 400);
    server.clock.advance(60_000);
    assert.equal(server.tryLogin(stranger).status, 400);
  });

  it("does not work with a key that nobody used for three months", () => {
    const server = new CoreHarness();
    server.login();
    server.clock.advance(89 * 24 * 3_600_000);
    server.login();
    server.clock.advance(91 * 24 * 3_600_000);
    assert.deepEqual(server.tryLogin().refusal, [400, 4, 35]);
  });

  it("names the extensions and the epoch where they are on, and nothing of them where they are off", () => {
    const local = new CoreHarness().tryLogin().document;
    assert.deepEqual(local.extensions, ["seq", "idempotency", "order"]);
    assert.match(local.epoch ?? "", /^\S{8,64}$/);
    const hosted = new CoreHarness({ preset: "hosted" }).tryLogin().document;
    assert.deepEqual(Object.keys(hosted), ["servertimestamp"]);
    const some = new CoreHarness({ extensions: { seq: false } }).tryLogin().document;
    assert.deepEqual(some.extensions, ["idempotency", "order"]);
    assert.equal(some.epoch, undefined);
  });

  it("writes no key and no cookie to the log", () => {
    const server = new CoreHarness();
    const { cookie } = server.login();
    server.tryLogin({ accountId: ALICE.accountId, apiKey: "c".repeat(32) });
    server.post("/v1/item/get", "", { headers: { cookie: `${cookie}0` } });
    const log = JSON.stringify(server.log);
    assert.match(log, /login-refused/);
    for (const secret of [ALICE.apiKey, "c".repeat(32), cookie.slice(11, 43)]) {
      assert.equal(log.includes(secret), false);
    }
  });

  it("is refused when the server holds as many sessions as it may", () => {
    const server = new CoreHarness({ bounds: { sessionsMax: 1 } });
    server.login();
    assert.deepEqual(server.tryLogin(BOB).refusal, [503, 2, 503]);
  });
});
