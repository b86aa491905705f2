import { strict as assert } from "node:assert";
import { CoreHarness, type RecordedReply } from "./core-harness.js";

const MINUTE = 60_000;

class RegistrationHarness extends CoreHarness {
  start(email: unknown = "me@example.org", registrationtoken?: unknown): RecordedReply {
    return this.post("/v1/auth/registrationstart", { email, registrationtoken });
  }

  finish(registrationtoken: unknown, emailcode: unknown): RecordedReply {
    return this.post("/v1/auth/registrationcode", { registrationtoken, emailcode });
  }

  /** The code that was last written to the log. */
  get code(): string {
    const record = this.log.findLast(({ event }) => event === "registration-code");
    return String(record?.["code"]);
  }

  get wrongCode(): string {
    return this.code === "000000" ? "000001" : "000000";
  }
}

const tokenOf = (reply: RecordedReply): string => reply.document.registrationtoken as string;

describe("registration at the local server", () => {
  it("gives a new account and key for the code in the log, good for a login", () => {
    const server = new RegistrationHarness();
    const started = server.start();
    assert.deepEqual(Object.keys(started.document), ["registrationtoken"]);
    assert.match(server.code, /^\d{6}$/);
    const {
      accountid = "",
      apikey = "",
      apikeyname,
    } = server.finish(tokenOf(started), server.code).document;
    assert.match(accountid, /^AC\d{16}$/);
    assert.match(apikey, /^[A-Za-z0-9]{32}$/);
    assert.ok(apikeyname);
    const session = server.login({ accountId: accountid, apiKey: apikey });
    session.set("P", "mine");
    assert.deepEqual(session.get(["P"]).payloads, ["mine"]);
    assert.equal(JSON.stringify(server.log).includes(apikey), false);
  });

  it("refuses what is no address of mail, and an unknown token", () => {
    const server = new RegistrationHarness();
    for (const email of ["nobody", "", "a@b@c", 7, null]) {
      assert.deepEqual(server.start(email).refusal, [400, 3, 32], String(email));
    }
    assert.deepEqual(server.start("me@example.org", "unknown").refusal, [400, 3, 33]);
    assert.deepEqual(server.finish("unknown", "123456").refusal, [400, 3, 33]);
    assert.deepEqual(server.finish(7, "123456").refusal, [400, 3, 30]);
    assert.deepEqual(server.post("/v1/auth/registrationstart", "{").refusal, [400, 3, 20]);
  });

  it("sends another code for its token three times in all, and the old one is worth nothing", () => {
    const server = new RegistrationHarness();
    const token = tokenOf(server.start());
    const first = server.code;
    assert.equal(tokenOf(server.start("me@example.org", token)), token);
    assert.deepEqual(server.start("you@example.org", token).refusal, [400, 3, 33]);
    assert.equal(server.start("me@example.org", token).status, 200);
    assert.deepEqual(server.start("me@example.org", token).refusal, [400, 3, 41]);
    if (first !== server.code) assert.deepEqual(server.finish(token, first).refusal, [400, 3, 34]);
    assert.equal(server.finish(token, server.code).status, 200);
    assert.deepEqual(server.finish(token, server.code).refusal, [400, 3, 33]);
  });

  it("is over after three wrong codes", () => {
    const server = new RegistrationHarness();
    const token = tokenOf(server.start());
    assert.deepEqual(server.finish(token, server.wrongCode).refusal, [400, 3, 34]);
    assert.deepEqual(server.finish(token, server.wrongCode).refusal, [400, 3, 34]);
    assert.deepEqual(server.finish(token, server.wrongCode).refusal, [400, 3, 42]);
    assert.deepEqual(server.finish(token, server.code).refusal, [400, 3, 33]);
  });

  it("is over after five minutes", () => {
    const server = new RegistrationHarness();
    const [late, timely] = [tokenOf(server.start()), tokenOf(server.start())];
    server.clock.advance(5 * MINUTE);
    assert.equal(server.finish(timely, server.code).status, 200);
    server.clock.advance(1);
    assert.deepEqual(server.finish(late, server.code).refusal, [400, 3, 43]);
  });

  it("is refused when too many are under way, and possible again when their time is over", () => {
    const server = new RegistrationHarness({ bounds: { registrationsMax: 2 } });
    server.start();
    server.start();
    assert.deepEqual(server.start().refusal, [400, 3, 40]);
    server.clock.advance(5 * MINUTE + 1);
    assert.equal(server.start().status, 200);
  });

  it("is slowed down for an address that starts one after the other, so that codes cannot be guessed", () => {
    const server = new RegistrationHarness();
    const statuses = Array.from({ length: 21 }, () => server.start().status);
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses[20]], [20, 429]);
  });

  it("is refused when the server has as many accounts as it may", () => {
    const server = new RegistrationHarness({ bounds: { accountsMax: 2 } });
    const token = tokenOf(server.start());
    assert.deepEqual(server.finish(token, server.code).refusal, [503, 2, 503]);
  });
});
