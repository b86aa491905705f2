import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { FaultProxy } from "../support/fault-proxy.js";
import { LOGIN } from "../support/fault-stage.js";
import { manifest } from "../support/packed.js";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { ROOT, TemporaryFolder } from "../support/tree.js";
import { type Flow, until } from "./runtime.js";

const CYCLES = 200;
const DEPLOYS = 100;
const OTHER_KEY = "S".repeat(32);
/** One for each round. */
const OBJECTS_MAX = 300;
/** Much of it is the code of what runs often. */
const GROWTH_BYTES_MAX = 2_000_000;

interface Measured {
  readonly heapBytes: number;
  /** Undefined where this Node.js cannot count them. */
  readonly objects?: number;
  readonly resources: readonly string[];
  readonly listeners: object;
}

interface Rounds {
  readonly cycles: number;
  readonly flows: readonly Flow[];
}

const place = { z: "f1", x: 100, y: 100 };

/** What is set in `hall` comes back in `echo`; beside it stand the other nodes of the package. */
const echo = (baseUrl: string, name = ""): Flow => [
  { id: "f1", type: "tab", label: "Echo" },
  {
    id: "c1",
    type: "xrtc-config",
    service: "custom",
    baseUrl,
    credentials: { accountId: ACCOUNT_ID, apiKey: API_KEY },
  },
  { id: "i1", type: "xrtc-in", ...place, config: "c1", portals: "hall", name, wires: [["o1"]] },
  { id: "o1", type: "xrtc-out", ...place, config: "c1", portal: "echo", name, wires: [] },
  { id: "g1", type: "xrtc-get", ...place, config: "c1", portals: "hall", name, wires: [[]] },
  { id: "i2", type: "xrtc-in", ...place, config: "c1", dynamic: true, name, wires: [[]] },
  { id: "s1", type: "xrtc-server", ...place, port: 0, name, wires: [] },
];

/** A Node-RED in a process of its own, as it is after it was started. */
async function startNodeRed(userDir: string): Promise<ChildProcess> {
  const module = join(userDir, "node_modules", manifest.name);
  mkdirSync(dirname(module), { recursive: true });
  symlinkSync(ROOT, module, "junction");
  const settings = {
    userDir,
    // Nothing is written: what waits for the disk would look like growth.
    readOnly: true,
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    runtimeState: { enabled: true, ui: false },
    logging: { console: { level: "off", metrics: false, audit: false } },
  };
  const name = process.env["NODE_RED_PKG"] ?? "node-red";
  const script = join(ROOT, "test/support/node-red-rounds.mjs");
  const child = fork(script, [name, JSON.stringify(settings)], {
    execArgv: ["--expose-gc", "--no-warnings"],
  });
  await once(child, "message");
  return child;
}

async function ask(child: ChildProcess, command: Rounds | "measure"): Promise<unknown> {
  child.send(command);
  return ((await once(child, "message")) as [unknown])[0];
}

/** Ends it if it has not ended by itself. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("R6: flows that are started and stopped, and deployed, again and again", () => {
  it(`keep one login and one upstream, and no listener, handle or heap grows (${CYCLES} and ${DEPLOYS} times)`, async function () {
    this.timeout(120_000);
    const apiKeys = [API_KEY, OTHER_KEY];
    await using service = await startService({ accounts: [{ accountId: ACCOUNT_ID, apiKeys }] });
    await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
    using folder = new TemporaryFolder();
    const child = await startNodeRed(folder.path);
    await using _ended = { [Symbol.asyncDispose]: () => end(child) };
    const client = service.client({ apiKey: OTHER_KEY });
    const heard = client.subscribe({ portals: ["echo"] });
    await heard.ready();
    let sent = 0;
    const rounds = async (cycles: number, deploys: number): Promise<void> => {
      const flows = Array.from({ length: deploys }, (_, at) => echo(`${proxy.origin}/v1`, `${at}`));
      await ask(child, { cycles, flows });
      // That of the nodes, and that of the test.
      await until(() => service.server.stats.waitingGets === 2);
      const payload = String((sent += 1));
      await client.setItems([{ portalId: "hall", payload }]);
      const { value } = await heard[Symbol.asyncIterator]().next();
      assert.equal(value?.payload, payload);
    };
    const measured = async () => (await ask(child, "measure")) as Measured;
    await rounds(0, 1);
    await rounds(50, 25);
    const before = await measured();
    await rounds(CYCLES, DEPLOYS);
    const after = await measured();
    assert.deepEqual(after.listeners, before.listeners);
    // One or two come and go with the requests under way.
    assert.ok(after.resources.length <= before.resources.length + 3, after.resources.join());
    const bytes = after.heapBytes - before.heapBytes;
    assert.ok(bytes < GROWTH_BYTES_MAX, `${bytes} bytes`);
    const objects = (after.objects ?? 0) - (before.objects ?? 0);
    assert.ok(objects < OBJECTS_MAX, `${objects} objects`);
    assert.equal(proxy.count(LOGIN), 1);
    child.send("stop");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0, "it ends by itself");
  });
});
