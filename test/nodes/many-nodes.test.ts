import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN } from "../support/fault-stage.js";
import { startService } from "../support/service.js";
import { complete, config, credentials, input, out, sink, tab } from "./flows.js";
import { badge, deploy, events, node, start, stop, taken } from "./runtime.js";

const REDEPLOYS = 20;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe("S9: ten nodes of one key", () => {
  afterEach(stop);

  it("that start at once and are deployed twenty times are one login, at a service that counts them", async () => {
    await using service = await startService();
    // Sees every attempt, a refused one as well.
    await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
    const readers = numbers(5).map((at) => input(`i${at}`, `p${at}`));
    const senders = numbers(5).map((at) => out({ id: `o${at}`, portal: `p${at}` }));
    const sinks = numbers(5).map((at) => sink(`k${at}`));
    const flow = [
      tab,
      config(`${proxy.origin}/v1`),
      ...readers,
      ...senders,
      ...sinks,
      ...complete("o0"),
    ];
    await start(flow, credentials);
    const exchange = async (payload: string): Promise<void> => {
      for (const at of numbers(5)) node(`o${at}`).receive({ payload });
      await Promise.all(numbers(5).map((at) => taken(`k${at}`, 1)));
    };
    const ready = () =>
      Promise.all(numbers(5).map((at) => badge(`i${at}`, { fill: "green", shape: "dot" })));
    await ready();
    await exchange("first");
    assert.equal(proxy.count(LOGIN), 1);
    for (const round of numbers(REDEPLOYS)) {
      // Messages come in the middle of it all.
      events().once("flows:started", () => node("o0").receive({ payload: `round ${round}` }));
      await deploy(flow, round % 2 === 0 ? "full" : "nodes");
      await taken("k0", 1);
    }
    await ready();
    await exchange("last");
    const { logins, sessions, waitingGets } = service.server.stats;
    assert.deepEqual({ logins, sessions, waitingGets }, { logins: 1, sessions: 1, waitingGets: 1 });
    assert.equal(proxy.count(LOGIN), 1);
    await stop();
  });
});
