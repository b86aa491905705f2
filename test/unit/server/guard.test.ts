import { strict as assert } from "node:assert";
import { CoreHarness, type Sent } from "./core-harness.js";

const login = { accountid: "AC1111", apikey: "a".repeat(32) };

const status = (sent: Sent & { readonly path?: string }, server = new CoreHarness()): number =>
  server.post(sent.path ?? "/v1/auth/login", login, sent).status;

const host = (name: string): Sent => ({ headers: { host: name } });

describe("the local server's guard", () => {
  it("lets clients of this machine through under each of its names", () => {
    for (const name of ["localhost", "LOCALHOST:8480", "127.0.0.1:1", "[::1]:8480", "127.0.0.5"]) {
      assert.equal(status(host(name)), 200, name);
    }
  });

  it("refuses a Host that is not ours, as a page has it that lets its own name point here", () => {
    const foreign = [
      "evil.example",
      "localhost.evil.example",
      "10.0.0.1",
      "[::2]",
      "",
      "a b",
      "localhost:",
    ];
    for (const name of foreign) assert.equal(status(host(name)), 403, name);
    assert.equal(status({ headers: { host: undefined as unknown as string } }), 400);
  });

  it("lets further names through that the operator lists", () => {
    const server = new CoreHarness({ hostNames: ["house.lan"] });
    assert.equal(status(host("house.lan:8480"), server), 200);
  });

  it("lets any address through, but no foreign name, when it listens on all addresses", () => {
    const server = new CoreHarness({ host: "0.0.0.0", allowInsecure: true });
    assert.equal(status(host("10.0.0.1:8480"), server), 200);
    assert.equal(status(host("evil.example"), server), 403);
  });

  it("refuses requests of foreign web pages", () => {
    const foreign = [
      "http://evil.example",
      "null",
      "http://localhost:1880",
      "http://localhost.evil.example",
    ];
    for (const origin of foreign) assert.equal(status({ headers: { origin } }), 403, origin);
    assert.equal(status({ headers: { "sec-fetch-site": "cross-site" } }), 403);
    assert.equal(status({ headers: { origin: "http://localhost" } }), 200);
    assert.equal(status({ headers: { "sec-fetch-site": "same-origin" } }), 200);
  });

  it("refuses absolute targets, upgrades and CONNECT", () => {
    assert.equal(status({ path: "http://localhost/v1/auth/login" }), 400);
    assert.equal(status({ path: "*" }), 400);
    assert.equal(status({ headers: { upgrade: "websocket" } }), 400);
    assert.equal(status({ method: "CONNECT" }), 405);
  });

  it("knows five calls and one method", () => {
    for (const path of [
      "/",
      "/v1",
      "/auth/login",
      "/v1/auth/login/",
      "/v1//auth/login",
      "/v1/item",
    ]) {
      assert.equal(status({ path }), 404, path);
    }
    for (const method of ["GET", "PUT", "OPTIONS", "DELETE", "HEAD"]) {
      assert.equal(status({ method }), 405, method);
    }
    assert.equal(status({ path: "/v1/auth/login?x=1" }), 200);
  });

  it("answers every refusal in the wire's shape", () => {
    const server = new CoreHarness();
    const reply = server.post("/nothing", "", {});
    assert.deepEqual(reply.refusal, [404, 2, 404]);
    assert.match(String(reply.headers["content-type"]), /^application\/json/);
    assert.equal(server.post("/v1/auth/login", "", { method: "GET" }).headers["allow"], "POST");
  });

  it("answers 503 once the server is closing", () => {
    const server = new CoreHarness();
    void server.core.close();
    assert.equal(status({}, server), 503);
  });
});
