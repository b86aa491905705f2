import assert from "node:assert/strict";
import { Authority } from "../support/certificates.js";
import { ConnectProxy } from "../support/connect-proxy.js";
import { type Service, startService } from "../support/service.js";
import { TlsFront } from "../support/tls-front.js";
import { ask } from "./admin.js";
import {
  catchAll,
  complete,
  config,
  credentials,
  input,
  out,
  proxyNode,
  sink,
  tab,
} from "./flows.js";
import { badge, deploy, type Flow, logged, node, shared, start, stop, taken } from "./runtime.js";
import { variables } from "./variables.js";

/** The runtime under test knows no texts, only their keys. */
const BADGE = "@xrtc-community/node-red-xrtc/xrtc-config:badge";

const startNamed = (): Promise<Service> =>
  startService({ hostNames: ["xrtc.test"], limits: { loginIntervalMsMin: 0 } });

const portOf = ({ baseUrl }: Service): number => Number(new URL(baseUrl).port);

const tlsConfig = (more: object = {}): Flow[number] => ({
  id: "t1",
  type: "tls-config",
  name: "",
  cert: "",
  key: "",
  ca: "",
  servername: "",
  alpnprotocol: "",
  verifyservercert: true,
  ...more,
});

/** A sender and a reader, so that every kind of connection is used. */
const pair: Flow = [
  out({ portal: "hall" }),
  input("i1", "hall", { start: "all" }),
  sink("k1"),
  ...complete("o1"),
  ...catchAll,
];

async function caughtError(): Promise<{ readonly message: string; readonly code?: string }> {
  const [caught] = (await taken("caught", 1)) as { error: { message: string; code?: string } }[];
  return caught?.error ?? assert.fail("nothing was caught");
}

async function exchange(payload: string): Promise<void> {
  node("o1").receive({ payload });
  const [received] = await taken("k1", 1);
  assert.equal(received?.["payload"], payload);
  await taken("completed", 1);
}

describe("An xrtc-config with a tls-config", () => {
  afterEach(stop);

  it("trusts the authority of that node, and shows its certificate", async () => {
    await using service = await startNamed();
    const authority = new Authority();
    await using front = await TlsFront.before(portOf(service), {
      ...authority.issue("127.0.0.1"),
      ca: authority.cert,
      requestCert: true,
    });
    const baseUrl = `https://127.0.0.1:${front.port}/v1`;
    const client = authority.issue("client");
    const certificates = {
      t1: { cadata: authority.cert, certdata: client.cert, keydata: client.key },
    };
    const flow = [tab, tlsConfig(), config(baseUrl, { tls: "t1" }), ...pair];
    await start(flow, { ...credentials, ...certificates });
    await exchange("over TLS");
    await stop();
  });

  it("says that the certificate is bad without it, and works when a deploy brings it", async () => {
    await using service = await startNamed();
    const authority = new Authority();
    await using front = await TlsFront.before(portOf(service), authority.issue("inside.test"));
    const baseUrl = `https://127.0.0.1:${front.port}/v1`;
    const parts = (tls: object): Flow => [
      tab,
      tlsConfig(tls),
      config(baseUrl, { tls: "t1" }),
      ...pair,
    ];
    const certificates = { t1: { cadata: authority.cert } };
    await start(parts({}), { ...credentials, ...certificates });
    await badge("i1", { fill: "red", shape: "dot" });
    assert.equal((await caughtError()).code, "XRTC_TLS");
    // Nothing but the tls-config changes: that has to reach those who use it.
    await deploy(parts({ servername: "inside.test" }), "nodes");
    await exchange("by another name");
    await stop();
  });

  it("says in badges, dialog and log when that node accepts any certificate", async () => {
    await using service = await startNamed();
    await using front = await TlsFront.before(
      portOf(service),
      new Authority().issue("elsewhere.test"),
    );
    const connection = config(`https://127.0.0.1:${front.port}/v1`, { tls: "t1" });
    await start([tab, tlsConfig({ verifyservercert: false }), connection, ...pair], credentials);
    await exchange("to whoever listens");
    await badge("o1", { fill: "yellow", shape: "dot", text: `${BADGE}.unverified` });
    await badge("i1", { fill: "yellow", shape: "dot", text: `${BADGE}.unverified` });
    const { body } = await ask("xrtc/config/c1/status");
    assert.deepEqual([body["kind"], body["status"]], ["connected", `${BADGE}.unverified`]);
    assert.ok(logged("warn").some((text) => /unverified/.test(text)));
    await stop();
  });

  it("is refused when that node cannot be used, and asks nobody", async () => {
    await using service = await startNamed();
    const connection = config(service.baseUrl, { tls: "t1" });
    for (const [flow, secret] of [
      [[], {}],
      [[tlsConfig()], { certdata: "only half" }],
      [[tlsConfig()], { cadata: "no certificate" }],
    ] as const) {
      await start([tab, ...flow, connection, ...pair], { ...credentials, t1: secret });
      await badge("i1", { fill: "red", shape: "dot" });
      assert.equal((await caughtError()).code, "XRTC_OPTIONS");
      await stop();
    }
    assert.equal(service.server.stats.requests, 0);
  });
});

describe("An xrtc-config with an http proxy", () => {
  afterEach(stop);

  it("goes through it with its streams and its commands, with the password of that node", async () => {
    await using service = await startNamed();
    const expected = `Basic ${Buffer.from("me:canary-password").toString("base64")}`;
    await using proxy = await ConnectProxy.start({
      port: portOf(service),
      answer: (headers) => (headers["proxy-authorization"] === expected ? 200 : 407),
    });
    const more = { proxy: "p1", allowInsecure: true };
    const flow = [tab, proxyNode(proxy.url), config("http://xrtc.test/v1", more), ...pair];
    const password = { p1: { username: "me", password: "canary-password" } };
    await start(flow, { ...credentials, ...password });
    await exchange("through the proxy");
    assert.deepEqual([...new Set(proxy.asked)], ["xrtc.test:80"]);
    const { body } = await ask("xrtc/config/c1/test", {
      service: "custom",
      baseUrl: "http://xrtc.test/v1",
      ...more,
    });
    assert.deepEqual(body["portals"], ["hall"]);
    await stop();
  });

  it("goes straight to the hosts that it leaves out", async () => {
    await using service = await startNamed();
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    const flow = [
      tab,
      proxyNode(proxy.url, ["127.0.0.1"]),
      config(service.baseUrl, { proxy: "p1" }),
      ...pair,
    ];
    await start(flow, credentials);
    await exchange("straight");
    assert.equal(proxy.asked.length, 0);
    await stop();
  });

  it("takes that of the environment where none is chosen, but not to this machine", async () => {
    await using service = await startNamed();
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    await using _variables = variables({ HTTP_PROXY: proxy.url, http_proxy: "", NO_PROXY: "" });
    await start([tab, config(service.baseUrl), ...pair], credentials);
    await exchange("straight");
    assert.equal(proxy.asked.length, 0);
    await stop();
    const elsewhere = config("http://xrtc.test/v1", { allowInsecure: true });
    await start([tab, elsewhere, ...pair], credentials);
    node("o1").receive({ payload: "through the proxy" });
    await taken("completed", 1);
    assert.ok(proxy.asked.length > 0);
  });

  it("cannot share a client with one that goes another way, and says which one that is", async () => {
    await using service = await startNamed();
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    const other = config(service.baseUrl, { id: "c2", name: "Second", proxy: "p1" });
    const second = out({ id: "o2", portal: "attic", config: "c2" });
    const flow = [tab, proxyNode(proxy.url), config(service.baseUrl), other, ...pair, second];
    await start(flow, { ...credentials, c2: credentials["c1"] ?? {} });
    await exchange("first come, first served");
    await badge("o2", { fill: "red", shape: "dot" });
    node("o2").receive({ payload: "x" });
    const { message } = await caughtError();
    assert.match(
      message,
      /config node "Test service" uses the same account and key with other TLS, proxy/,
    );
    assert.equal(shared().clients.size, 1);
    await stop();
  });
});
