import assert from "node:assert/strict";
import { Barrier } from "../support/barrier.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN, SET } from "../support/fault-stage.js";
import { ACCOUNT_ID, API_KEY, startService, take } from "../support/service.js";
import { catchAll, complete, config, out, tab } from "./flows.js";
import { deploy, type Flow, type Message, node, start, stop, taken, untaken } from "./runtime.js";

const NEW_KEY = "N".repeat(32);

/**
 * A flow whose second set goes out and is not answered, while more messages wait behind it.
 *
 * @param configId - a new one for each test: the runtime keeps credentials that a deploy brought
 */
async function stuck(configId: string): Promise<AsyncDisposable & Stuck> {
  const service = await startService({
    accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, NEW_KEY] }],
    extensions: { order: false },
    limits: { loginIntervalMsMin: 0 },
  });
  const proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
  const held = new Barrier();
  proxy.plan = ({ path, pathIndex }) =>
    path === SET && pathIndex === 1 ? { kind: "hold", until: held.passed } : undefined;
  const sender = out({ portal: "hall", config: configId });
  const connection = config(`${proxy.origin}/v1`, { id: configId });
  const flow = [tab, connection, sender, ...catchAll, ...complete("o1")];
  await start(flow, { [configId]: { accountId: ACCOUNT_ID, apiKey: API_KEY } });
  send("stored");
  await taken("completed", 1);
  send("on its way");
  await proxy.reached(SET, 2);
  for (const payload of ["waits 1", "waits 2"]) send(payload);
  return {
    service,
    proxy,
    flow,
    async [Symbol.asyncDispose]() {
      held.open();
      await stop();
      await proxy.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const send = (payload: string): void => node("o1").receive({ payload });

interface Stuck {
  readonly service: Awaited<ReturnType<typeof startService>>;
  readonly proxy: FaultProxy;
  readonly flow: Flow;
}

const payloads = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

describe("S12: messages that wait in an xrtc-out while its API key is changed", () => {
  for (const type of ["nodes", "full"] as const) {
    it(`go out with the new key, in order and once each, and the old key logs in no more (${type} deploy)`, async () => {
      await using on = await stuck(`key-${type}`);
      const { service, proxy, flow } = on;
      const newCredentials = { accountId: ACCOUNT_ID, apiKey: NEW_KEY };
      const changed = flow.map((part) =>
        part.type === "xrtc-config"
          ? { ...part, name: "New key", credentials: newCredentials }
          : part,
      );
      const before = proxy.count(SET);
      await deploy(changed, type);
      assert.deepEqual(payloads(await taken("completed", 2)), ["waits 1", "waits 2"]);
      assert.equal(service.server.stats.logins, 2);
      assert.equal(proxy.count(LOGIN), 2);
      assert.ok(proxy.count(SET) <= before + 2, "no set but those of the messages that waited");
      const items = service.client().getItems({ portals: ["hall"], schedule: "FIFO" });
      assert.deepEqual(payloads((await take(items, 4)) as unknown as Message[]), [
        "stored",
        "on its way",
        "waits 1",
        "waits 2",
      ]);
      if (type === "full") return;
      // The one on its way may have been stored, and is told so; nothing else is said twice.
      const [caught] = await taken("caught", 1);
      const { error } = caught as unknown as { error: { code: string } };
      assert.deepEqual([caught?.["payload"], error.code], ["on its way", "XRTC_CLOSED"]);
      assert.deepEqual([untaken("caught"), untaken("completed")], [0, 0]);
    });
  }

  it("fail clearly, each once, when the node is deleted instead", async () => {
    await using on = await stuck("key-deleted");
    await deploy(
      on.flow.filter(({ id }) => id !== "o1"),
      "nodes",
    );
    const caught = await taken("caught", 3);
    assert.deepEqual(payloads(caught).toSorted(), ["on its way", "waits 1", "waits 2"]);
    for (const { error } of caught as { error: { code: string } }[]) {
      assert.equal(error.code, "XRTC_CLOSED");
    }
    assert.deepEqual([untaken("caught"), untaken("completed")], [0, 0]);
  });
});
