import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Node, NodeAPI, NodeDef, NodeInitializer } from "node-red";
import { XrtcClient } from "../../src/index.js";
import { ACCOUNT_ID, API_KEY, credentials as clientCredentials, take } from "../support/service.js";
import { catchAll, input, localConfig, out, server, sink, tab } from "./flows.js";
import {
  badge,
  badges,
  deploy,
  errors,
  type Flow,
  type Message,
  node,
  settled,
  shared,
  start,
  stop,
  taken,
  until,
} from "./runtime.js";

const connected = { fill: "green", shape: "dot" } as const;
const credentials = { s1: { accountId: ACCOUNT_ID, apiKey: API_KEY } };

interface Layers {
  readonly stack: readonly unknown[];
}
type App = RequestListener & { readonly _router?: Layers; readonly router?: Layers };

/** The app of the runtime's HTTP nodes, which a node of ours tells. */
let app: App | undefined;
const initTeller = ((RED: NodeAPI) => {
  app = RED.httpNode as unknown as App;
  RED.nodes.registerType("teller", function Teller(this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
  });
}) as unknown as NodeInitializer;

const begin = (flow: Flow): Promise<void> => start(flow, credentials, [initTeller]);

/** How many layers Express keeps; it makes none before the first. */
const layers = (): number => (app?._router ?? app?.router)?.stack.length ?? 0;

/** Asks Node-RED's web server, which mounts its nodes at its root. */
async function post(
  path: string,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const front = createServer((request, response) => app?.(request, response));
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  try {
    const { port } = front.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { connection: "close", ...headers },
      body: JSON.stringify(body),
    });
    await response.clone().text();
    return response;
  } finally {
    front.close();
    await once(front, "close");
  }
}

const login = { accountid: ACCOUNT_ID, apikey: API_KEY };
const below = (more: object = {}): Flow[number] => server({ listen: "path", ...more });
const exchange = (one = below()): Flow => [
  tab,
  localConfig,
  one,
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

describe("xrtc-server under a path of Node-RED", () => {
  afterEach(stop);

  it("serves other programs, and says in its badge where", async () => {
    await begin([tab, below()]);
    const { text } = await badge("s1", connected);
    assert.equal(text, "/xrtc");
    const front = createServer((request, response) => app?.(request, response));
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    const { port } = front.address() as AddressInfo;
    const baseUrl = `http://localhost:${port}/xrtc/v1`;
    const client = new XrtcClient({ ...clientCredentials, baseUrl });
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    await client.setItems([{ portalId: "hall", payload: "1" }]);
    const [item] = await take(items, 1);
    assert.equal(item?.payload, "1");
    await client.close();
    front.closeAllConnections();
    front.close();
    await once(front, "close");
  });

  it("keeps cookies to its path, and strangers' pages and names out", async () => {
    await begin([tab, below({ path: "my/xrtc/", hostNames: "my.house" })]);
    await badge("s1", connected);
    const path = "/my/xrtc/v1/auth/login";
    const answer = await post(path, login, { "content-type": "text/plain" });
    assert.equal(answer.status, 200);
    for (const cookie of answer.headers.getSetCookie())
      assert.match(cookie, /; Path=\/my\/xrtc\/v1;/);
    assert.equal((await post(path, login, { origin: "http://evil.example" })).status, 403);
    assert.equal((await post("/my/xrtc/v1/else", login)).status, 404);
  });

  it("is the same through redeploys, moves to another path, and leaves nothing behind when it goes", async () => {
    await begin(exchange());
    await badge("i1", connected);
    await passes("first");
    const one = layers();
    for (let round = 0; round < 5; round += 1) await deploy(exchange());
    await passes("same");
    assert.equal(layers(), one);
    await deploy(exchange(below({ path: "/other" })));
    await badge("i1", connected);
    await passes("moved");
    assert.equal(layers(), one);
    assert.equal((await post("/xrtc/v1/auth/login", login)).status, 404);
    assert.equal((await post("/other/v1/auth/login", {})).status, 400);
    await deploy(exchange(below({ path: "/other", preset: "hosted" })));
    await badge("i1", connected);
    await passes("changed");
    assert.equal(layers(), one);
    await deploy(exchange(below({ d: true })));
    await settled();
    assert.equal(layers(), one - 1);
    await deploy(exchange());
    await badge("i1", connected);
    await deploy([tab]);
    await settled();
    assert.equal(layers(), one - 1);
    assert.equal(shared().servers.size, 0);
  });

  it("says that another one has its path, and takes it over when that goes", async () => {
    await begin([tab, below(), below({ id: "s2" }), ...catchAll]);
    const [caught] = (await taken("caught", 1)) as (Message & {
      error: { code: string; message: string };
    })[];
    assert.equal(caught?.error.code, "XRTC_SERVER_ADDRESS");
    assert.match(caught?.error.message ?? "", /\/xrtc/);
    const loser = errors("s1").length === 1 ? "s1" : "s2";
    await badge(loser, { fill: "red", shape: "ring" });
    await deploy([tab, below({ id: loser }), ...catchAll]);
    await badge(loser, connected);
  });

  it("shows who is there, and what goes on for as long as it does", async () => {
    await begin(exchange());
    await badge("i1", connected);
    for (let count = 0; count < 30; count += 1) node("o1").receive({ payload: count });
    await taken("k1", 30);
    await until(() => /badge\.client, \d+\/s$/.test(latest("s1")));
    await until(() => latest("s1").endsWith("badge.client"));
    assert.equal(errors("s1").length, 0);
  });
});

const latest = (id: string): string => badges(id).at(-1)?.text ?? "";
