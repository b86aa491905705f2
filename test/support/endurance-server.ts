/** The server of an endurance run, in a process of its own: it tells its address, and ends with whoever started it. */

import { XrtcServer } from "../../src/server/index.js";
import { scaledClock } from "./scaled-clock.js";
import { ACCOUNT_ID, API_KEY } from "./service.js";

const [factor = 1, getTimeoutMs = 5_000, idempotencyMs = 120_000] = process.argv
  .slice(2)
  .map(Number);
const server = new XrtcServer({
  port: 0,
  accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }],
  clock: scaledClock(factor),
  // As long as a client may try again.
  bounds: { idempotencyMs, idempotencyKeysMax: 1_000_000 },
  limits: {
    getTimeoutMs,
    ringItemsMax: 50_000,
    loginIntervalMsMin: 0,
    requestsPerSecondMax: 1_000_000,
    itemAgeMsMax: 36_000_000,
  },
});

process.on("message", () => process.send?.({ stats: server.stats }));
process.once("disconnect", () => void server.close());
void server.listen().then((url) => process.send?.({ port: Number(new URL(url).port) }));
