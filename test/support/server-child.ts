/** A server in a process of its own: it takes its options by message, tells its address, and ends with its parent. */

import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";

const tell = (message: unknown): void => void process.send?.(message);
const log: XrtcServerOptions["log"] = (record) => tell({ record });
let server: XrtcServer | undefined;

process.once("message", (options: XrtcServerOptions) => {
  try {
    server = new XrtcServer({ ...options, log });
    server.listen().then(
      (url) => tell({ url }),
      (error: unknown) => tell({ error: String(error) }),
    );
  } catch (error) {
    tell({ error: String(error) });
  }
});
process.once("disconnect", () => process.exit());
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    void server?.close().then(() => process.exit(0));
  });
}
