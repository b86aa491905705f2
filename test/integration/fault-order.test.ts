import assert from "node:assert/strict";
import { isXrtcError, type XrtcClient, type XrtcClientOptions } from "../../src/index.js";
import { Barrier } from "../support/barrier.js";
import { FaultProxy, type Fault, type Plan } from "../support/fault-proxy.js";
import { scaledClock } from "../support/scaled-clock.js";
import { startService, take, type Service } from "../support/service.js";

const SET = "/v1/item/set";
const LOGIN = "/v1/auth/login";

interface Stage extends AsyncDisposable {
  readonly service: Service;
  readonly proxy: FaultProxy;
  readonly client: XrtcClient;
}

/** Both sides live so many times faster than the wall. One item makes a batch, so that a window is full of them. */
async function stage(options: XrtcClientOptions = {}, factor = 20): Promise<Stage> {
  const clock = scaledClock(factor);
  const service = await startService({ clock, limits: { loginIntervalMsMin: 0 } });
  const proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
  const client = service.client({
    // The first alone may meet every one of the faults.
    attemptsMax: 20,
    baseUrl: `${proxy.origin}/v1`,
    limits: { loginIntervalMsMin: 0, requestItemsMax: 1 },
    ports: { clock },
    ...options,
  });
  // The server's offer to keep the order is known after the login only.
  await client.open();
  return {
    service,
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await proxy.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);

const setAll = (client: XrtcClient, payloads: readonly string[]) =>
  Promise.all(payloads.map((payload) => client.setItems([{ portalId: "p", payload }])));

/** What a reader of its own finds in the portal. */
async function stored({ service }: Stage, count: number): Promise<string[]> {
  const reader = service.client({ limits: { loginIntervalMsMin: 0 } });
  const items = await take(reader.subscribe({ portals: ["p"], start: "all" }), count);
  return items.map(({ payload }) => payload);
}

/** The set of that number, from 0, suffers the fault. */
const onSet =
  (faults: Readonly<Record<number, Fault>>): Plan =>
  ({ path, pathIndex }) =>
    path === SET ? faults[pathIndex] : undefined;

const DENIED: Fault = {
  kind: "answer",
  status: 401,
  body: '{"error":{"errorgroup":4,"errorcode":10011,"errormessage":"denied"}}',
};
const UNAVAILABLE: Fault = { kind: "answer", status: 503, body: "<h1>busy</h1>" };

/** Sets in flight together, and what happens to the first, to some in the middle, to the last. */
const WINDOWS: Readonly<Record<string, Readonly<Record<number, Fault>>>> = {
  "the first is swallowed": { 0: { kind: "swallow" } },
  "the first is lost on its way up": { 0: { kind: "black-hole", direction: "up" } },
  "the first is cut before it is whole": { 0: { kind: "cut-request", afterBytes: 9, how: "rst" } },
  "two in the middle are cut": {
    2: { kind: "cut-request", afterBytes: 20, how: "fin" },
    4: { kind: "cut-response", afterBytes: 3, how: "rst" },
  },
  "the early ones are answered with 503": {
    0: UNAVAILABLE,
    1: UNAVAILABLE,
    2: UNAVAILABLE,
    3: UNAVAILABLE,
  },
  "one in the middle is denied": { 3: DENIED },
  "the first and the last are denied": { 0: DENIED, 7: DENIED },
  "all eight are refused": Object.fromEntries(
    names(8).map((at): [string, Fault] => [at, { kind: "refuse", how: "rst" }]),
  ),
  "every answer is swallowed, twice": { 0: { kind: "swallow" }, 1: { kind: "swallow" } },
};

describe("Ordered sets, several in flight", () => {
  for (const [name, faults] of Object.entries(WINDOWS)) {
    it(`are stored once and in order when ${name}`, async () => {
      await using on = await stage();
      on.proxy.plan = onSet(faults);
      const payloads = names(40);
      await setAll(on.client, payloads);
      assert.deepEqual(await stored(on, 40), payloads);
      assert.equal(on.service.server.stats.itemsSet, 40);
    });
  }

  it("go on when a login was denied while the answers of earlier ones were under way", async () => {
    await using on = await stage();
    const held = new Barrier();
    const hold: Fault = { kind: "hold", until: held.passed };
    on.proxy.plan = onSet({ 0: hold, 1: hold, 3: DENIED });
    const setting = setAll(on.client, names(20));
    // The denied one goes out again under a new login; then the answers of the old one arrive.
    await on.proxy.reached(LOGIN, 2);
    await on.proxy.reached(SET, 8);
    held.open();
    await setting;
    assert.deepEqual(await stored(on, 20), names(20));
    assert.equal(on.service.server.stats.itemsSet, 20);
  });

  it("keep their order when one is given up in the middle of a window", async () => {
    await using on = await stage({ attemptsMax: 2 });
    on.proxy.plan = ({ path, pathIndex }) =>
      path === SET && pathIndex <= 1 ? { kind: "refuse", how: "rst" } : undefined;
    const results = await Promise.allSettled(
      names(20).map((payload) => on.client.setItems([{ portalId: "p", payload }])),
    );
    const confirmed = names(20).filter((_, at) => results[at]?.status === "fulfilled");
    for (const result of results) {
      if (result.status === "rejected") assert.ok(isXrtcError(result.reason, "XRTC_NOT_CONFIRMED"));
    }
    assert.deepEqual(await stored(on, confirmed.length), confirmed);
  });
});
