import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { ServerState } from "../../nodes/lib/local-server.js";
import { ACCOUNT_ID, API_KEY, credentials as clientCredentials } from "../support/service.js";
import { finishRegistration, startRegistration, XrtcClient } from "../../src/index.js";
import { catchAll, complete, input, localConfig, out, server, sink, tab } from "./flows.js";
import {
  badge,
  deploy,
  errors,
  type Flow,
  logged,
  type Message,
  node,
  shared,
  start,
  stop,
  taken,
} from "./runtime.js";

type Listening = Extract<ServerState, { kind: "listening" }>;

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;

/** Resolves with the state of a node's server as soon as it listens. */
const listening = (id = "s1"): Promise<Listening> =>
  new Promise((resolve) => {
    const unwatch = shared().servers.watch(id, (state) => {
      if (state.kind !== "listening") return;
      resolve(state);
      setImmediate(() => unwatch());
    });
  });

/** A flow in which items go from an xrtc-out through an xrtc-server to an xrtc-in, with no secret in it. */
const exchange = (more: Flow[number] = server()): Flow => [
  tab,
  localConfig,
  more,
  out({ portal: "hall" }),
  input("i1", "hall"),
  sink("k1"),
  ...catchAll,
];

async function passes(payload: unknown): Promise<void> {
  node("o1").receive({ payload });
  const [message] = await taken("k1", 1);
  assert.deepEqual(message?.["payload"], payload);
}

describe("xrtc-server", () => {
  afterEach(stop);

  it("lets nodes exchange items with nothing typed in but the choice of the server", async () => {
    await start(exchange());
    const { url } = await listening();
    const { text } = await badge("s1", connected);
    assert.equal(text, new URL(url).host);
    await badge("i1", connected);
    await passes({ warm: true });
  });

  it("listens on this machine only, with an account that is made up", async () => {
    await start([tab, server()]);
    const { url, credentials } = await listening();
    assert.equal(new URL(url).hostname, "127.0.0.1");
    assert.match(credentials.accountId, /^AC\d{16}$/);
    assert.equal(String(credentials.apiKey), "<redacted>");
    assert.ok(!JSON.stringify(node("s1").credentials).includes(credentials.apiKey.reveal()));
  });

  it("lets other programs in with the account and key that the user set", async () => {
    await start([tab, server()], { s1: { accountId: ACCOUNT_ID, apiKey: API_KEY } });
    const { url } = await listening();
    await using client = new XrtcClient({ ...clientCredentials, baseUrl: url });
    await client.setItems([{ portalId: "hall", payload: "x" }]);
  });

  it("tells the code of a registration in the log of Node-RED, because it sends no mail", async () => {
    await start([tab, server()]);
    const { url } = await listening();
    const token = await startRegistration("ada@example.org", { baseUrl: url });
    const line = logged("info").find((each) => each.includes("ada@example.org"));
    const code = /: (\w+)$/.exec(line ?? "")?.[1] ?? "";
    const { accountId, apiKey } = await finishRegistration(token, code, { baseUrl: url });
    await using client = new XrtcClient({ accountId, apiKey, baseUrl: url });
    await client.setItems([{ portalId: "hall", payload: "x" }]);
    assert.ok(logged("info").every((each) => !each.includes(apiKey.reveal())));
  });

  it("is the same server with one login and one upstream through fifty full redeploys", async () => {
    await start(exchange());
    const { stats, url } = await listening();
    await badge("i1", connected);
    await passes("first");
    for (let round = 0; round < 50; round += 1) await deploy(exchange());
    await passes("last");
    const { logins, waitingGets, sessions } = stats();
    assert.deepEqual({ logins, waitingGets, sessions }, { logins: 1, waitingGets: 1, sessions: 1 });
    assert.equal((await listening()).url, url);
    assert.deepEqual([shared().servers.size, shared().clients.size], [1, 1]);
  });

  it("closes with its flows: nothing listens any more, and nobody is left connected", async () => {
    await start(exchange());
    const { url } = await listening();
    await badge("i1", connected);
    await stop();
    await assert.rejects(fetch(url));
    assert.deepEqual([shared().servers.size, shared().clients.size], [0, 0]);
  });

  it("that is deployed alone with other settings is followed by the nodes that use it", async () => {
    await start(exchange());
    const { url } = await listening();
    await badge("i1", connected);
    await passes("before");
    await deploy(exchange(server({ preset: "hosted" })), "nodes");
    const moved = await listening();
    assert.notEqual(moved.url, url);
    await badge("i1", connected);
    await passes("after");
    assert.equal(errors("i1").length, 0);
  });

  it("with changed settings gets the very port that its predecessor had", async () => {
    const port = await freePort();
    await start(exchange(server({ port })));
    await badge("i1", connected);
    await deploy(exchange(server({ port, preset: "hosted" })));
    assert.equal(new URL((await listening()).url).port, String(port));
    assert.equal(errors("s1").length, 0);
    const other: Flow = [tab, server({ id: "s2", port })];
    await deploy(other);
    assert.equal(new URL((await listening("s2")).url).port, String(port));
    assert.equal(errors("s2").length, 0);
  });

  it("that is missing or disabled is named as the reason, and its coming ends it", async () => {
    const without = exchange().filter(({ id }) => id !== "s1");
    await start(without);
    const [reported] = (await taken("caught", 1)) as Caught[];
    assert.equal(reported?.error.code, "XRTC_SERVER_MISSING");
    await badge("i1", { fill: "red", shape: "dot" });
    node("o1").receive({ payload: "x" });
    const [refused] = (await taken("caught", 1)) as Caught[];
    assert.equal(refused?.error.code, "XRTC_SERVER_MISSING");
    await deploy(exchange(server({ d: true })), "nodes");
    await badge("i1", { fill: "red", shape: "dot" });
    await deploy(exchange(), "nodes");
    await badge("i1", connected);
    await passes("at last");
    await deploy(exchange(server({ d: true })));
    await badge("i1", { fill: "red", shape: "dot" });
    assert.equal(shared().servers.size, 0);
  });

  it("whose port is taken says so, tells its users, and listens when the port is free", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => void squatter.listen(0, "127.0.0.1", resolve));
    const { port } = squatter.address() as { port: number };
    await start(exchange(server({ port })));
    const codes = ((await taken("caught", 2)) as Caught[]).map(({ error }) => error.code);
    assert.deepEqual(codes, ["XRTC_SERVER_ADDRESS", "XRTC_SERVER_ADDRESS"]);
    await badge("s1", { fill: "red", shape: "ring" });
    await badge("i1", { fill: "red", shape: "dot" });
    await new Promise((resolve) => void squatter.close(resolve));
    await badge("s1", connected);
    await badge("i1", connected);
    await passes("at last");
    assert.deepEqual([errors("s1").length, errors("i1").length], [1, 1]);
  });

  it("with half of its credentials, or with settings that make no sense, does not start and says why", async () => {
    const flow: Flow = [
      tab,
      server(),
      server({ id: "s2", port: "abc" }),
      localConfig,
      out({ portal: "hall" }),
      ...catchAll,
    ];
    await start(flow, { s1: { accountId: ACCOUNT_ID } });
    const codes = ((await taken("caught", 2)) as Caught[]).map(({ error }) => error.code);
    assert.deepEqual(codes.toSorted(), ["XRTC_CREDENTIALS_MISSING", "XRTC_OPTIONS"]);
    node("o1").receive({ payload: "x" });
    const [refused] = (await taken("caught", 1)) as Caught[];
    assert.equal(refused?.error.code, "XRTC_CREDENTIALS_MISSING");
  });

  it("lets messages wait that come before it listens", async () => {
    const flow = [...exchange(), ...complete("o1")];
    await start(flow);
    node("o1").receive({ payload: "early" });
    await taken("completed", 1);
    assert.equal((await listening()).stats().itemsSet, 1);
  });
});

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => void probe.close(resolve));
  return port;
}
