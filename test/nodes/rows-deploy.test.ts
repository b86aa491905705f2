import assert from "node:assert/strict";
import { createServer } from "node:net";
import { Barrier } from "../support/barrier.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN, SET } from "../support/fault-stage.js";
import { ACCOUNT_ID, API_KEY, type Service, startService, take } from "../support/service.js";
import { complete, config, credentials, input, out, sink, tab } from "./flows.js";
import {
  badge,
  deploy,
  events,
  type Flow,
  node,
  Settlements,
  shared,
  start,
  stop,
  taken,
  until,
  untaken,
} from "./runtime.js";

const DEPLOYS = ["full", "flows", "nodes"] as const;
const DEPLOY_MS_MAX = 3_000;
const PAYLOADS = Array.from({ length: 50 }, (_, at) => String(at));
const connected = { fill: "green", shape: "dot" } as const;

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const portOf = (url: string): number => Number(new URL(url).port);

/** The same flow, with a change to the node that sends. */
const changed = (flow: Flow): Flow =>
  flow.map((part) => (part.type === "xrtc-out" ? { ...part, name: "changed" } : part));

async function timed(work: Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

async function stored(service: Service, count: number): Promise<string[]> {
  const items = service.client().getItems({ portals: ["hall"], schedule: "FIFO" });
  return (await take(items, count)).map(({ payload }) => payload);
}

/** That each of the fifty was settled once and without an error, and is stored once and in order. */
async function allThere(settlements: Settlements, service: Service): Promise<void> {
  const settled = await settlements.reached(PAYLOADS.length);
  assert.deepEqual(
    settled.filter(({ error }) => error !== undefined),
    [],
  );
  assert.deepEqual(await stored(service, PAYLOADS.length), PAYLOADS);
  await stop();
  assert.deepEqual(
    settlements.all.map(({ payload }) => payload).toSorted(),
    PAYLOADS.toSorted(),
    "once each",
  );
}

describe("R1: a deploy with 50 sets in flight", () => {
  afterEach(stop);

  for (const type of DEPLOYS) {
    it(`drains them in under 3 s when the service is up (${type})`, async () => {
      await using service = await startService(oftenLogins);
      await using proxy = await FaultProxy.before(portOf(service.baseUrl));
      const opened = new Barrier();
      proxy.plan = ({ path }) =>
        path === SET ? { kind: "hold", of: "response", until: opened.passed } : undefined;
      const flow = [tab, config(`${proxy.origin}/v1`), out({ portal: "hall" })];
      await start(flow, credentials);
      using settlements = new Settlements();
      for (const payload of PAYLOADS) node("o1").receive({ payload });
      await proxy.reached(SET);
      events().once("flows:stopping", () => opened.open());
      assert.ok((await timed(deploy(changed(flow), type))) < DEPLOY_MS_MAX);
      await settlements.reached(PAYLOADS.length);
      assert.equal(proxy.count(LOGIN), 1);
      await allThere(settlements, service);
    });

    it(`settles each once in under 3 s when the service is down: as failed, or stored when it is back (${type})`, async () => {
      const port = await freePort();
      const flow = [tab, config(`http://127.0.0.1:${port}/v1`), out({ portal: "hall" })];
      await start(flow, credentials);
      using settlements = new Settlements();
      for (const payload of PAYLOADS) node("o1").receive({ payload });
      await badge("o1", { fill: "red", shape: "ring" });
      assert.ok((await timed(deploy(changed(flow), type))) < DEPLOY_MS_MAX);
      node("o1").receive({ payload: "last" });
      await using service = await startService({ port, ...oftenLogins });
      const settled = await settlements.reached(PAYLOADS.length + 1);
      const done: unknown[] = [];
      const unsure: unknown[] = [];
      for (const { payload, error } of settled) {
        if (error === undefined) done.push(payload);
        else {
          const { code, outcome } = error as { code?: string; outcome?: string };
          assert.equal(code, "XRTC_CLOSED");
          // Its request had begun, and may still find its way to the service once that is back.
          if (outcome === "unknown") unsure.push(payload);
        }
      }
      assert.ok(done.includes("last"));
      // Stored in the order in which they came, whichever answer came first.
      const all = await stored(service, settled.length);
      assert.deepEqual(
        all.filter((payload) => !unsure.includes(payload)),
        [...PAYLOADS, "last"].filter((payload) => done.includes(payload)),
      );
      await stop();
      assert.equal(settlements.all.length, PAYLOADS.length + 1, "once each");
    });
  }
});

describe("R2: a message that comes while a deploy closes its node", () => {
  afterEach(stop);

  for (const type of DEPLOYS) {
    it(`is settled once, by the node that follows (${type})`, async () => {
      await using service = await startService(oftenLogins);
      await using proxy = await FaultProxy.before(portOf(service.baseUrl));
      const opened = new Barrier();
      proxy.plan = ({ path, pathIndex }) =>
        path === SET && pathIndex === 0 ? { kind: "hold", until: opened.passed } : undefined;
      const flow = [tab, config(`${proxy.origin}/v1`), out({ portal: "hall" })];
      await start(flow, credentials);
      using settlements = new Settlements();
      const closing = node("o1");
      closing.receive({ payload: "before" });
      await proxy.reached(SET);
      // The set on its way keeps the node closing for so long.
      events().once("flows:stopping", () =>
        setImmediate(() => {
          closing.receive({ payload: "during" });
          opened.open();
        }),
      );
      await deploy(changed(flow), type);
      assert.notEqual(node("o1"), closing);
      const settled = await settlements.reached(2);
      assert.deepEqual(
        settled.map(({ payload, error }) => [payload, error]),
        [
          ["before", undefined],
          ["during", undefined],
        ],
      );
      assert.deepEqual(await stored(service, 2), ["before", "during"]);
      await stop();
      assert.equal(settlements.all.length, 2);
    });
  }
});

const change = (flow: Flow, id: string, more: object): Flow =>
  flow.map((part) => (part.id === id ? { ...part, ...more } : part));

describe("R4: a deploy of modified nodes", () => {
  afterEach(stop);

  for (const [what, id, more, logins] of [
    ["the config node and not its users", "c1", { name: "Renamed" }, 1],
    ["the limits of the config node and not its users", "c1", { limits: "local" }, 2],
    ["a sender and not its config node", "o1", { name: "Renamed" }, 1],
    ["a reader and not its config node", "i1", { name: "Renamed" }, 1],
  ] as const) {
    it(`that changes ${what} costs ${logins === 1 ? "no login" : "one login"}`, async () => {
      await using service = await startService(oftenLogins);
      await using proxy = await FaultProxy.before(portOf(service.baseUrl));
      const flow = [
        tab,
        config(`${proxy.origin}/v1`),
        out({ portal: "hall" }),
        input("i1", "hall"),
        sink("k1"),
        ...complete("o1"),
      ];
      await start(flow, credentials);
      await badge("i1", connected);
      await deploy(change(flow, id, more), "nodes");
      await badge("i1", connected);
      node("o1").receive({ payload: "after" });
      const [[message]] = await Promise.all([taken("k1", 1), taken("completed", 1)]);
      assert.equal(message?.["payload"], "after");
      assert.equal(proxy.count(LOGIN), logins);
      await until(() => service.server.stats.waitingGets === 1);
      assert.deepEqual([untaken("k1"), shared().clients.size], [0, 1]);
      await stop();
    });
  }
});

const INSTANCES = Array.from({ length: 20 }, (_, at) => `n${at}`);

/** Twenty readers, each in an instance of a subflow, on a tab of its own or all on one. */
const instances = (baseUrl: string): Flow => [
  config(baseUrl),
  { id: "s", type: "subflow", name: "Reader", in: [], out: [] },
  { ...input("i1", "hall", { start: "all" }), z: "s" },
  { ...sink("k1"), z: "s" },
  ...INSTANCES.flatMap((id) => [
    { id: `f${id}`, type: "tab", label: id },
    { id, type: "subflow:s", z: `f${id}`, x: 100, y: 100, wires: [] },
  ]),
];

/** What a user can do to have an instance no longer, and by which deploy. */
const REMOVALS: readonly (readonly [
  string,
  (typeof DEPLOYS)[number],
  (flow: Flow, ids: readonly string[]) => Flow,
])[] = [
  ["nodes are deleted", "nodes", (flow, ids) => flow.filter(({ id }) => !ids.includes(id))],
  [
    "nodes are disabled",
    "full",
    (flow, ids) => flow.map((part) => (ids.includes(part.id) ? { ...part, d: true } : part)),
  ],
  [
    "flows are deleted",
    "flows",
    (flow, ids) =>
      flow.filter(
        ({ id, z }) =>
          !ids.includes(id) && !ids.some((each) => z === `f${each}` || id === `f${each}`),
      ),
  ],
  [
    "flows are disabled",
    "nodes",
    (flow, ids) =>
      flow.map((part) =>
        ids.some((each) => part.id === `f${each}`) ? { ...part, disabled: true } : part,
      ),
  ],
];

describe("R5: twenty instances of a subflow that reads a portal", () => {
  afterEach(stop);

  for (const [what, type, remove] of REMOVALS) {
    it(`share one login and one upstream, and the last one closes the sockets when ${what} (${type} deploy)`, async () => {
      const OTHER_KEY = "S".repeat(32);
      await using service = await startService({
        accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, OTHER_KEY] }],
      });
      await using proxy = await FaultProxy.before(portOf(service.baseUrl));
      const client = service.client({ apiKey: OTHER_KEY });
      const set = (payload: string) => client.setItems([{ portalId: "hall", payload }]);
      const flow = instances(`${proxy.origin}/v1`);
      await start(flow, credentials);
      await set("to all");
      await taken("k1", INSTANCES.length);
      assert.deepEqual([proxy.count(LOGIN), service.server.stats.waitingGets], [1, 1]);
      await deploy(remove(flow, INSTANCES.slice(1)), type);
      await set("to the last one");
      assert.equal((await taken("k1", 1))[0]?.["payload"], "to the last one");
      assert.deepEqual([service.server.stats.waitingGets, untaken("k1")], [1, 0]);
      await deploy(remove(flow, INSTANCES), type);
      // Nobody uses their client; it is held for ten seconds, for whoever may come back.
      shared().clients.endHeld();
      await until(() => proxy.openSockets === 0 && service.server.stats.waitingGets === 0);
      assert.deepEqual([shared().clients.size, proxy.count(LOGIN)], [0, 1]);
    });
  }
});

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => void probe.close(resolve));
  return port;
}
