/** A server under test in a process of its own: it tells its addresses, and ends with whoever started it. */

import { XrtcServer } from "../../src/server/index.js";
import { type CodeRecord, serverOptions, type Sides, sidesOf } from "./local-target.js";
import { PROXY_ADDRESS } from "./round-robin.js";

/** What such a process says to the one that started it. */
export type ProcessMessage =
  | { readonly kind: "listening"; readonly plain: string; readonly hasty: string }
  | { readonly kind: "code"; readonly email: unknown; readonly code: unknown };

const [engine = "memory", prefix = "xrtc"] = process.argv.slice(2);
const sides = sidesOf("local");
const say = (message: ProcessMessage): void => {
  process.send?.(message);
};

const server = (side: keyof Sides): XrtcServer =>
  new XrtcServer({
    ...serverOptions("local", sides[side]),
    engine,
    enginePrefix: `${prefix}-${side}`,
    trustedProxies: [PROXY_ADDRESS],
    log: (record) => {
      const { email, code } = record as CodeRecord;
      if (code !== undefined) say({ kind: "code", email, code });
    },
  });

const servers = [server("plain"), server("hasty")] as const;
process.once("disconnect", () => {
  for (const each of servers) void each.close();
});

async function main(): Promise<void> {
  const [plain, hasty] = await Promise.all([servers[0].listen(), servers[1].listen()]);
  say({ kind: "listening", plain, hasty });
}

void main();
