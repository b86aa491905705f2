import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN } from "../support/fault-stage.js";
import { rawService } from "../support/raw-service.js";
import { ACCOUNT_ID, API_KEY, type Service, startService } from "../support/service.js";
import { ask } from "./admin.js";
import {
  config,
  credentials,
  input,
  localConfig,
  out,
  proxyNode,
  server,
  sink,
  tab,
} from "./flows.js";
import { badge, shared, start, stop, taken, untaken } from "./runtime.js";

const OTHER_KEY = "Z".repeat(32);

const typed = { accountId: ACCOUNT_ID, apiKey: API_KEY };
const custom = (baseUrl: string): object => ({ service: "custom", baseUrl });

const startFast = (): Promise<Service> =>
  startService({
    accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, OTHER_KEY] }],
    limits: { loginIntervalMsMin: 0 },
  });

/** A flow whose key is stored, and another service that must never see it. */
async function storedKey() {
  const deployed = await startFast();
  const foreign = await rawService(() => undefined);
  await start([tab, config(deployed.baseUrl), out()], credentials);
  return {
    deployed,
    foreign,
    async [Symbol.asyncDispose]() {
      await stop();
      await foreign[Symbol.asyncDispose]();
      await deployed[Symbol.asyncDispose]();
    },
  };
}

/** A service that keeps the codes which it would mail. */
async function startMailing() {
  const codes: string[] = [];
  const service = await startService({
    log: ({ message }) => {
      const [, code] = /^registration code for .*: (\S+)$/.exec(message) ?? [];
      if (code !== undefined) codes.push(code);
    },
  });
  return { service, codes };
}

describe("The dialog of an xrtc-config asks the runtime", () => {
  afterEach(stop);

  describe("how the deployed node stands", () => {
    it("and hears the badge's words, what the month has used, and how far the clocks are apart", async () => {
      await using service = await startFast();
      await start([tab, config(service.baseUrl), out({ portal: "hall" })], credentials);
      const before = await ask("xrtc/config/c1/status");
      assert.deepEqual(before.body, {
        kind: "idle",
        status: "",
        usage: { used: 0, max: null, month: new Date().toISOString().slice(0, 7), level: "ok" },
        clockOffsetMs: null,
      });
      await ask("xrtc/config/c1/portals");
      const { body } = await ask("xrtc/config/c1/status");
      assert.equal(body["kind"], "connected");
      assert.match(String(body["status"]), /connected/);
      assert.deepEqual([body["fill"], body["shape"]], ["green", "dot"]);
      assert.equal((body["usage"] as { used: number }).used, 2);
      assert.ok(Math.abs(Number(body["clockOffsetMs"])) < 5_000);
    });

    it("and hears why when it is refused, and of the budget that was set", async () => {
      await using service = await startFast();
      const limited = config(service.baseUrl, { monthRequestsMax: "5000" });
      await start([tab, limited, out({ portal: "hall" })], {
        c1: { accountId: ACCOUNT_ID, apiKey: "x".repeat(32) },
      });
      await ask("xrtc/config/c1/portals");
      const { body } = await ask("xrtc/config/c1/status");
      assert.deepEqual([body["kind"], body["fill"]], ["refused", "red"]);
      assert.equal(body["code"], "XRTC_CREDENTIALS_REFUSED");
      assert.equal((body["usage"] as { max: number }).max, 5_000);
    });

    it("and leaves nothing behind where no node uses it", async () => {
      await using service = await startFast();
      await start([tab, config(service.baseUrl)], credentials);
      assert.equal((await ask("xrtc/config/c1/portals")).status, 200);
      assert.equal((await ask("xrtc/config/c1/status")).body["kind"], "connected");
      assert.equal(shared().clients.size, 1);
      // What nobody uses is only held.
      shared().clients.endHeld();
      assert.equal(shared().clients.size, 0);
    });

    it("and hears that there is no such node", async () => {
      await start([tab, sink("k1")]);
      for (const path of ["c9/status", "k1/status", "c9/portals", "__proto__/status"]) {
        const { status, body } = await ask(`xrtc/config/${path}`);
        assert.equal(status, 404, path);
        assert.deepEqual(Object.keys(body), ["code", "message", "remedy"]);
      }
    });
  });

  describe("which portals the account has", () => {
    it("and gets them sorted, with one request for many questions, over the session that is there", async () => {
      await using service = await startFast();
      await using writer = service.client();
      for (const portalId of ["kitchen", "attic", "hall"]) {
        await writer.setItems([{ portalId, payload: "x" }]);
      }
      const flow = [
        tab,
        config(service.baseUrl),
        input("i1", "hall", { start: "all" }),
        sink("k1"),
      ];
      await start(flow, credentials);
      await taken("k1", 1);
      const { requests, logins } = service.server.stats;
      const answers = await Promise.all([1, 2, 3].map(() => ask("xrtc/config/c1/portals")));
      for (const { body } of answers) {
        assert.deepEqual(body, { portals: ["attic", "hall", "kitchen"] });
      }
      assert.equal(service.server.stats.logins, logins);
      const asked = service.server.stats.requests - requests;
      assert.ok(asked === 1 || asked === 2, "a turn of the stream may have begun");
      await writer.setItems([{ portalId: "hall", payload: "y" }]);
      const [next] = await taken("k1", 1);
      assert.equal(next?.["payload"], "y", "the reader has lost nothing to it");
      assert.equal(untaken("k1"), 0);
    });
  });

  describe("to test the connection", () => {
    it("and hears the round trip, the clocks and the portals, over the live session of what is deployed", async () => {
      await using service = await startFast();
      await using writer = service.client();
      await writer.setItems([{ portalId: "hall", payload: "x" }]);
      await start([tab, config(service.baseUrl), out()], credentials);
      await ask("xrtc/config/c1/portals");
      const { logins } = service.server.stats;
      // Limits that are not deployed yet are no reason for another login.
      const fields = { ...custom(service.baseUrl), accountId: ACCOUNT_ID, requestBytesMax: "512" };
      for (const more of [{}, { apiKey: API_KEY }]) {
        const { status, body } = await ask("xrtc/config/c1/test", { ...fields, ...more });
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(Object.keys(body), ["roundTripMs", "clockOffsetMs", "portals"]);
        assert.ok(Number(body["roundTripMs"]) > 0);
        assert.deepEqual(body["portals"], ["hall"]);
      }
      assert.equal(service.server.stats.logins, logins);
      assert.equal(shared().clients.size, 1);
    });

    it("and is told so when the key is in use over another way, rather than of that way", async () => {
      await using service = await startFast();
      const flow = [tab, proxyNode("http://127.0.0.1:9"), config(service.baseUrl), out()];
      await start(flow, credentials);
      const fields = { ...custom(service.baseUrl), ...typed, proxy: "p1" };
      const { status, body } = await ask("xrtc/config/c1/test", fields);
      assert.deepEqual([status, body["code"]], [400, "XRTC_OPTIONS"]);
      assert.match(String(body["message"]), /"Test service" uses the same account and key/);
    });

    it("before anything is deployed, and twice costs one login", async () => {
      await using service = await startFast();
      await start([tab]);
      const body = { ...custom(service.baseUrl), ...typed, name: "New", limits: "local" };
      assert.equal((await ask("xrtc/config/new/test", body)).status, 200);
      assert.equal((await ask("xrtc/config/new/test", body)).status, 200);
      assert.equal(service.server.stats.logins, 1);
    });

    it("and hears what is wrong, with its code and what to do about it", async () => {
      await using service = await startFast();
      await start([tab]);
      const wrong = "w".repeat(32);
      const refusedKey = await ask("xrtc/config/new/test", {
        ...custom(service.baseUrl),
        ...typed,
        apiKey: wrong,
      });
      assert.equal(refusedKey.status, 400);
      assert.equal(refusedKey.body["code"], "XRTC_CREDENTIALS_REFUSED");
      assert.match(String(refusedKey.body["remedy"]), /Check account id and API key/);
      const cases = [
        [{ ...custom("http://127.0.0.1:9/v1"), ...typed }, "XRTC_UNREACHABLE"],
        [{ ...custom("no url"), ...typed }, "XRTC_OPTIONS"],
        [{ ...custom(service.baseUrl), ...typed, requestBytesMax: "1" }, "XRTC_OPTIONS"],
        [{ ...custom(service.baseUrl), ...typed, tls: "t9" }, "XRTC_OPTIONS"],
        [{ ...custom(service.baseUrl), ...typed, apiKey: "short" }, "XRTC_OPTIONS"],
        [{ service: "local", server: "s9" }, "XRTC_SERVER_MISSING"],
        [{ ...custom(service.baseUrl), ...typed, misspelt: 1 }, "XRTC_OPTIONS"],
      ] as const;
      for (const [fields, code] of cases) {
        const { status, body, text } = await ask("xrtc/config/new/test", fields);
        assert.deepEqual([status, body["code"]], [400, code], text);
        assert.doesNotMatch(text, new RegExp(API_KEY));
      }
    });

    it("of a server in the same Node-RED, whose key it does not need", async () => {
      await start([tab, server(), localConfig, out()]);
      await badge("s1", { fill: "green" });
      const { status, body } = await ask("xrtc/config/c1/test", { service: "local", server: "s1" });
      assert.deepEqual([status, body["portals"]], [200, []]);
    });

    it("one at a time, and gives it up with the browser that asked", async () => {
      await using service = await startFast();
      const proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
      proxy.plan = ({ path }) => (path === LOGIN ? { kind: "swallow" } : undefined);
      try {
        await start([tab]);
        const fields = { ...custom(`${proxy.origin}/v1`), ...typed };
        const browser = new AbortController();
        const first = askAndLeave("xrtc/config/new/test", fields, browser.signal);
        await proxy.reached(LOGIN, 1);
        const second = await ask("xrtc/config/new/test", fields);
        assert.deepEqual([second.status, second.body["code"]], [409, "XRTC_THROTTLED"]);
        browser.abort();
        await first;
        const direct = { ...custom(service.baseUrl), ...typed };
        let third = await ask("xrtc/config/new/test", direct);
        while (third.status === 409) third = await ask("xrtc/config/new/test", direct);
        assert.equal(third.status, 200, third.text);
      } finally {
        await stop();
        await proxy.close();
      }
    });
  });

  describe("to test with the stored key", () => {
    it("which goes to no other address than the deployed one, and says so", async () => {
      await using world = await storedKey();
      const { baseUrl } = world.deployed;
      const elsewhere = [
        custom(`${world.foreign.origin}/v1`),
        custom(`${baseUrl}/v2`),
        {
          service: "urls",
          loginUrl: `${baseUrl}/auth/login`,
          setUrl: `${baseUrl}/item/set`,
          getUrl: `${world.foreign.origin}/v1/item/get`,
        },
        { ...custom(baseUrl), proxy: "p1" },
        { ...custom(baseUrl), tls: "t1" },
        { ...custom(baseUrl), allowInsecure: true },
        { ...custom(`${world.foreign.origin}/v1`), credentialsFrom: "environment" },
        { ...custom(`${world.foreign.origin}/v1`), credentialsFrom: "file", dotenvFile: "x.env" },
        { ...custom(`${world.foreign.origin}/v1`), ...typed, apiKey: "${HOME}" },
        { ...custom(`${world.foreign.origin}/v1`), accountId: "${HOME}", apiKey: OTHER_KEY },
      ];
      for (const fields of elsewhere) {
        const { status, body } = await ask("xrtc/config/c1/test", fields);
        assert.deepEqual([status, body["code"]], [400, "XRTC_CREDENTIALS_MISSING"]);
        assert.match(String(body["remedy"]), /Type the API key again|Deploy/);
      }
      assert.equal(world.foreign.requests.length, 0);
      assert.equal((await ask("xrtc/config/unknown/test", custom(baseUrl))).status, 400);
      assert.equal((await ask("xrtc/config/c1/test", custom(baseUrl))).status, 200);
    });

    it("and never hears a key, not even from a service that repeats it", async () => {
      await using echo = await rawService(({ body }, response) => {
        const error = { errorgroup: 4, errorcode: 35, errormessage: `no: ${body}` };
        response.writeHead(400).end(JSON.stringify({ error }));
      });
      await start([tab]);
      const fields = { ...custom(`${echo.origin}/v1`), ...typed };
      const { text, body } = await ask("xrtc/config/new/test", fields);
      assert.equal(body["code"], "XRTC_CREDENTIALS_REFUSED");
      assert.match(text, /<redacted>/);
      assert.doesNotMatch(text, new RegExp(API_KEY));
      await stop();
    });
  });

  describe("to register", () => {
    it("and gets account and key, once, for the code from the mail", async () => {
      const { service, codes } = await startMailing();
      await using _service = service;
      await start([tab]);
      const fields = { ...custom(service.baseUrl), email: "somebody@example.org" };
      const begun = await ask("xrtc/registration/start", fields);
      assert.match(begun.text, /^\{"registration":"[0-9a-f]{32}"\}$/);
      const { registration } = begun.body;
      const wrong = await ask("xrtc/registration/finish", { registration, code: "not it" });
      assert.deepEqual([wrong.status, wrong.body["code"]], [400, "XRTC_REGISTRATION"]);
      const code = codes.at(-1);
      const { body, headers } = await ask("xrtc/registration/finish", { registration, code });
      assert.deepEqual(Object.keys(body), ["accountId", "apiKey"]);
      assert.equal(headers.get("cache-control"), "no-store");
      const again = await ask("xrtc/registration/finish", { registration, code });
      assert.deepEqual([again.status, again.body["code"]], [404, "XRTC_REGISTRATION"]);
      const tested = await ask("xrtc/config/new/test", { ...custom(service.baseUrl), ...body });
      assert.equal(tested.status, 200);
    });

    it("with a server in the same Node-RED, or one by its login URL; and nowhere without an address", async () => {
      const { service } = await startMailing();
      await using _service = service;
      await start([tab, server()]);
      await badge("s1", { fill: "green" });
      const email = "somebody@example.org";
      const loginUrl = `${service.baseUrl}/auth/login`;
      const urls = { service: "urls", setUrl: loginUrl, getUrl: loginUrl };
      const ok = [
        { service: "local", server: "s1", email },
        { ...urls, loginUrl, email },
      ];
      for (const body of ok) {
        assert.equal((await ask("xrtc/registration/start", body)).status, 200);
      }
      const bad = [
        { service: "local", server: "s9", email },
        { ...urls, loginUrl: `${service.baseUrl}/somewhere`, email },
        { ...custom(service.baseUrl), email: "nobody" },
        { ...custom(service.baseUrl) },
      ];
      for (const body of bad) {
        assert.equal((await ask("xrtc/registration/start", body)).status, 400);
      }
    });
  });

  describe("as a page of another site would", () => {
    it("and is turned away", async () => {
      await using service = await startFast();
      await start([tab, config(service.baseUrl), out()], credentials);
      const cross = { "sec-fetch-site": "cross-site" };
      assert.equal((await ask("xrtc/config/c1/portals", undefined, cross)).status, 403);
      const form = "service=custom&baseUrl=http://127.0.0.1:9/v1&accountId=AC1&apiKey=x";
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      assert.equal((await ask("xrtc/config/c1/test", form, headers)).status, 415);
      const same = { "sec-fetch-site": "same-origin" };
      assert.equal((await ask("xrtc/config/c1/portals", undefined, same)).status, 200);
    });

    it("or with a body that is none", async () => {
      await start([tab]);
      for (const body of [[], { registration: 1, code: [] }, { service: { a: 1 } }, {}]) {
        for (const path of ["registration/start", "registration/finish", "config/c1/test"]) {
          const { status, body: answer } = await ask(`xrtc/${path}`, body);
          assert.ok(status === 400 || status === 404, `${path} ${JSON.stringify(body)}`);
          assert.deepEqual(Object.keys(answer), ["code", "message", "remedy"]);
        }
      }
    });
  });
});

/** A request whose browser goes away before the answer. */
const askAndLeave = (path: string, body: object, signal: AbortSignal): Promise<unknown> =>
  assert.rejects(ask(path, body, {}, signal));
