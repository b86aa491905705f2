// @ts-check
/**
 * A Node-RED whose flows are started, stopped and deployed again and again, to see whether anything grows:
 * `node --expose-gc node-red-rounds.mjs <package name> <settings as JSON>`, forked. It takes the steps that the API of the
 * editor takes, without the requests, which would leave traces of their own.
 */
import { createRequire } from "node:module";
import { createServer } from "node:http";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import v8 from "node:v8";

const [, , name = "node-red", settings = "{}"] = process.argv;
const RED = createRequire(import.meta.url)(name);
const server = createServer();

let isStopped = false;

/** @typedef {{ cycles: number, flows: object[][] }} Rounds */

/** @param {Rounds} rounds so many times stopped and started, then each of the flows deployed as modified nodes */
async function run({ cycles, flows }) {
  const { setState, setFlows } = RED.runtime.flows;
  for (let at = 0; at < cycles; at += 1) {
    await setState({ state: "stop" });
    await setState({ state: "start" });
  }
  for (const each of flows) {
    const started = new Promise((resolve) => RED.events.once("flows:started", resolve));
    await setFlows({ flows: { flows: each }, deploymentType: "nodes" });
    await started;
  }
}

/** Everything that is alive, after collecting until that does not make it less any more. */
async function measure() {
  let least = Infinity;
  for (let idle = 0; idle < 4;) {
    await setImmediate();
    /** @type {any} */ (globalThis).gc();
    const used = process.memoryUsage().heapUsed;
    idle = used < least - 10_000 ? 0 : idle + 1;
    least = Math.min(least, used);
  }
  // Counted, because the code that V8 makes of what runs often fills the heap for a long time.
  const { queryObjects } = /** @type {any} */ (v8);
  return {
    heapBytes: least,
    objects: queryObjects?.(Object, { format: "count" }),
    resources: process
      .getActiveResourcesInfo()
      .filter((kind) => /Timeout|Server/.test(kind))
      .toSorted(),
    listeners: { runtime: listenersOf(RED.events), process: listenersOf(process) },
  };
}

/** @param {import("node:events").EventEmitter} emitter */
const listenersOf = (emitter) =>
  Object.fromEntries(
    emitter.eventNames().map((event) => [String(event), emitter.listenerCount(event)]),
  );

/** @param {Rounds | "measure" | "stop"} command */
async function obey(command) {
  if (command === "measure") return measure();
  if (command !== "stop") return run(command);
  isStopped = true;
  await RED.stop();
  server.close();
  // From here on only what is held open by mistake keeps this process alive.
  process.disconnect();
}

/** @param {unknown} error */
function fail(error) {
  console.error(error);
  process.exit(1);
}

process.on("message", (/** @type {any} */ command) => {
  obey(command).then((answer) => process.connected && process.send?.(answer ?? null), fail);
});
// Nobody is left who would end this process.
process.once("disconnect", () => {
  if (!isStopped) process.exit(1);
});
RED.init(server, JSON.parse(settings));
RED.start().then(() => process.send?.("started"), fail);
