/** The server of an attack, in a process of its own: it tells its address, what it holds when asked, and all it logs. */

import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";
import { stableMemoryBytes } from "./heap.js";

const options = JSON.parse(process.argv[2] ?? "{}") as XrtcServerOptions;
const server = new XrtcServer({
  ...options,
  port: 0,
  log: (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
});

async function tell(): Promise<void> {
  process.send?.({ kind: "held", memoryBytes: await stableMemoryBytes(), stats: server.stats });
}

process.on("message", () => void tell());
process.once("disconnect", () => void server.close());
void server.listen().then((url) => process.send?.({ kind: "listening", url }));
