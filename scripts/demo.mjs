// @ts-check
/**
 * `npm run demo [-- --items N] [--port P]`: starts a real Node-RED with the first example flow, in which an xrtc-server,
 * an xrtc-out and an xrtc-in exchange items on their own, and prints a line for each item. It ends after N items, or
 * with Ctrl-C.
 *
 * It runs the newest line of Node-RED that this Node.js can run, or the one that `NODE_RED_PKG` names.
 */
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeRedPackage } from "./node-red-line.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const EXAMPLE = path.join(ROOT, "examples", "01 First steps.json");
/** Without an item for so long, something is wrong. */
const SILENCE_MS_MAX = 30_000;
/** Quicker than the example's own second, so that a short run is short. */
const REPEAT_S = "0.25";

const USAGE = "Usage: npm run demo [-- --items N] [--port P]";

/** @typedef {{ node?: { id: string, type: string } }} End */
/** @typedef {{ msg: { payload?: { number?: number } }, source: End, destination: End }} SendEvent */

class UsageError extends Error {}

function parseCommand() {
  const options = /** @type {const} */ ({ items: { type: "string" }, port: { type: "string" } });
  let values;
  try {
    ({ values } = parseArgs({ options, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return {
    items: wholeNumber("--items", values.items, 1, Number.MAX_SAFE_INTEGER) ?? Infinity,
    port: wholeNumber("--port", values.port, 0, 65_535) ?? 0,
  };
}

/** @param {string} name @param {string | undefined} text @param {number} min @param {number} max */
function wholeNumber(name, text, min, max) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `${name}: expected a whole number from ${min} to ${max}, received "${text}"`,
  );
}

/**
 * A user directory as Node-RED expects it, with this package in it. Nothing of it remains.
 *
 * @param {string} userDir
 */
async function furnish(userDir) {
  const scope = path.join(userDir, "node_modules", "@xrtc-community");
  await mkdir(scope, { recursive: true });
  await symlink(ROOT, path.join(scope, "node-red-xrtc"), "junction");
  /** @type {Record<string, unknown>[]} */
  const flow = JSON.parse(await readFile(EXAMPLE, "utf8"));
  const changed = flow.map((node) => {
    if (node["type"] === "inject") return { ...node, repeat: REPEAT_S };
    // Any free port: another Node-RED of this machine may have the usual one.
    if (node["type"] === "xrtc-server") return { ...node, port: 0 };
    return node;
  });
  await writeFile(path.join(userDir, "flows.json"), JSON.stringify(changed));
}

/** @param {string} userDir */
const settingsFor = (userDir) => ({
  userDir,
  flowFile: "flows.json",
  uiHost: "127.0.0.1",
  httpAdminRoot: "/",
  httpNodeRoot: "/",
  credentialSecret: "nothing secret is in this demo",
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
  logging: { console: { level: "error", metrics: false, audit: false } },
});

/** @param {import("node:http").Server} server @param {number} port @returns {Promise<number>} */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/**
 * Watches messages enter xrtc-out and leave xrtc-in, through Node-RED's own hooks: the nodes know nothing of it.
 *
 * @param {any} RED
 * @param {(number: number, latencyMs: number) => void} onItem
 */
function watch(RED, onItem) {
  /** @type {Map<number, number>} */
  const entered = new Map();
  RED.hooks.add("onReceive.demo", (/** @type {SendEvent} */ { msg, destination }) => {
    const number = msg.payload?.number;
    if (destination.node?.type === "xrtc-out" && number !== undefined) {
      entered.set(number, performance.now());
    }
  });
  RED.hooks.add("onSend.demo", (/** @type {SendEvent[]} */ events) => {
    for (const { msg, source } of events) {
      const number = msg.payload?.number;
      const since = number === undefined ? undefined : entered.get(number);
      if (source.node?.type !== "xrtc-in" || number === undefined || since === undefined) continue;
      entered.delete(number);
      onItem(number, performance.now() - since);
    }
  });
}

const nothing = () => undefined;

/**
 * Prints the items.
 *
 * @param {any} RED
 * @param {number} itemsMax
 * @returns {{ ended: Promise<number>, end: (code: number) => void }} `ended` has the exit code, as soon as there is one
 */
function run(RED, itemsMax) {
  /** @type {(code: number) => void} */
  let resolve = nothing;
  /** @type {Promise<number>} */
  const ended = new Promise((resolvePromise) => {
    resolve = resolvePromise;
  });
  const silence = setTimeout(() => {
    console.error(`No item has arrived for ${SILENCE_MS_MAX / 1_000} s: something is wrong.`);
    resolve(1);
  }, SILENCE_MS_MAX);
  /** @param {number} code */
  const end = (code) => {
    clearTimeout(silence);
    resolve(code);
  };
  let received = 0;
  watch(RED, (number, latencyMs) => {
    if (received >= itemsMax) return;
    received += 1;
    silence.refresh();
    console.log(`item ${number} received, ${latencyMs.toFixed(1)} ms from end to end`);
    if (received >= itemsMax) end(0);
  });
  process.once("SIGINT", () => end(0)).once("SIGTERM", () => end(0));
  return { ended, end };
}

/** @param {{ items: number, port: number }} command @param {string} userDir */
async function demo({ items, port }, userDir) {
  const name = process.env["NODE_RED_PKG"] ?? nodeRedPackage(process.versions.node);
  const require = createRequire(import.meta.url);
  const { version } = require(`${name}/package.json`);
  console.log(`Node-RED ${version} on Node.js ${process.version}`);
  const RED = require(name);
  const server = createServer();
  RED.init(server, settingsFor(userDir));
  server.on("request", RED.httpAdmin);
  const { ended, end } = run(RED, items);
  try {
    const listening = await listen(server, port);
    await RED.start();
    console.log(`Editor: http://127.0.0.1:${listening}/`);
    return await ended;
  } finally {
    end(1);
    await RED.stop();
    server.closeAllConnections();
    server.close();
  }
}

async function main() {
  const command = parseCommand();
  const userDir = await mkdtemp(path.join(tmpdir(), "xrtc-demo-"));
  try {
    await furnish(userDir);
    return await demo(command, userDir);
  } finally {
    await rm(userDir, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  console.error(isUsage ? `${error.message}\n${USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
