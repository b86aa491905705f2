/**
 * Measures the time from a set to the arrival of its item. Items are set with the key of `xrtc_set.env` and got with
 * the one of `xrtc_get.env`: the same account, two keys.
 *
 *     node latency-test.mjs [items]
 */
import { setTimeout as pause } from "node:timers/promises";
import { XrtcClient } from "@xrtc-community/node-red-xrtc";

const portalId = "latency";
const count = Number(process.argv[2] ?? 20);
const pauseMs = 100; // ten sets a second: half of what the hosted service allows one key

// Account and key of the environment would go before those of both files; empty ones do not count.
const environment = { ...process.env, ACCOUNT_ID: "", API_KEY: "" };
const setter = new XrtcClient({ envFile: "xrtc_set.env", environment });
const getter = new XrtcClient({ envFile: "xrtc_get.env", environment });

async function setting() {
  for (let number = 0; number < count; number += 1) {
    const payload = JSON.stringify({ sentAt: performance.now() });
    await setter.setItems([{ portalId, payload }]);
    await pause(pauseMs);
  }
}

async function getting(subscription) {
  let received = 0;
  let sum = 0;
  for await (const { payload } of subscription) {
    const latency = performance.now() - JSON.parse(payload).sentAt;
    received += 1;
    sum += latency;
    const mean = sum / received;
    console.log(`item ${received}: ${latency.toFixed(1)} ms, mean ${mean.toFixed(1)} ms`);
    if (received >= count) break;
  }
  return received;
}

try {
  await setter.setItems([{ portalId, payload: "{}" }]); // so that its login does not count
  const signal = AbortSignal.timeout(count * pauseMs + 20_000);
  const subscription = getter.subscribe({ portals: [portalId], signal });
  await subscription.ready(); // what is set from now on arrives
  const [received] = await Promise.all([getting(subscription), setting()]);
  if (received < count) throw new Error(`only ${received} of ${count} items arrived in time`);
} finally {
  await Promise.all([setter.close(), getter.close()]);
}
