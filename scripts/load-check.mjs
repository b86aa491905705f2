// @ts-check
/**
 * `npm run load-check [-- <flow.json>]`: what a user of the palette sees. The packed package, installed from the registry's dependencies
 * into an empty user directory, is loaded by a real Node-RED without an error, and its first example exchanges items.
 *
 * `NODE_RED_PKG` names the Node-RED to start; without it, the newest line that this Node.js can run.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import path, { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { nodeRedPackage } from "./node-red-line.mjs";
import { ROOT, inTemporaryFolder, npm, pack } from "./tarball.mjs";

/** The flow that has to run: the first example, or the file that is named on the command line. */
const EXAMPLE = process.argv[2] ?? "examples/01 First steps.json";
const ITEMS_MIN = 3;
const START_MS_MAX = 60_000;
const ITEMS_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const PROBE = "load-check";
// Unlike the name, because Node-RED takes a property that is a node's id for a dependency.
const PROBE_ID = "a0a0a0a0a0a0a0a0";

/** @typedef {{ id: string, type: string, z?: string, wires?: string[][] } & Record<string, unknown>} FlowNode */

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}

/** @param {string} userDir */
async function install(userDir) {
  const { filename } = await pack("--pack-destination", userDir);
  const project = { name: "user-directory", private: true };
  writeFileSync(join(userDir, "package.json"), JSON.stringify(project));
  const options = ["--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"];
  await npm(["install", ...options, join(userDir, filename)], userDir);
}

/** A running Node-RED and what it has printed. */
class NodeRed {
  /** @type {import("node:child_process").ChildProcess} */
  #child;
  /** @type {string[]} */
  lines = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {string} nodeRed @param {string} userDir @param {number} port */
  constructor(nodeRed, userDir, port) {
    const settings = {
      ...{ uiHost: "127.0.0.1", uiPort: port, flowFile: "flows.json", credentialSecret: PROBE },
      telemetry: { enabled: false, updateNotification: false },
      logging: { console: { level: "info", metrics: false, audit: false } },
    };
    const file = join(userDir, "settings.js");
    writeFileSync(file, `module.exports = ${JSON.stringify(settings)};\n`);
    const home = dirname(createRequire(import.meta.url).resolve(`${nodeRed}/package.json`));
    const args = [join(home, "red.js"), "--userDir", userDir, "--settings", file];
    this.#child = spawn(process.execPath, args, {
      cwd: userDir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const wake of this.#waiting) wake();
      });
    }
  }

  /**
   * Resolves when enough of the printed lines match.
   *
   * @param {RegExp} pattern @param {number} count @param {number} msMax
   * @returns {Promise<string[]>}
   */
  printed(pattern, count, msMax) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.lines.filter((line) => pattern.test(line));
        if (found.length >= count) settle(() => resolve(found));
        else if (this.#child.exitCode !== null) settle(() => reject(new Error("Node-RED ended")));
      };
      const late = `${count} lines like ${String(pattern)} did not come within ${msMax / 1000} s`;
      const timer = setTimeout(() => settle(() => reject(new Error(late))), msMax);
      this.#child.once("exit", look);
      /** @param {() => void} how */
      const settle = (how) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        this.#child.off("exit", look);
        how();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Ends the process as a service manager does, and throws when it has to be killed. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = new AbortController();
    const deadline = delay(STOP_MS_MAX, "late", { signal: late.signal }).catch(() => "in time");
    const first = await Promise.race([ended, deadline]);
    late.abort();
    if (first !== "late") return;
    this.#child.kill("SIGKILL");
    await ended;
    throw new Error(`Node-RED did not stop within ${STOP_MS_MAX / 1000} s`);
  }
}

/** The example, with a node that logs each item beside whatever else follows an xrtc-in node. */
function exampleWithProbe() {
  const flow = /** @type {FlowNode[]} */ (
    JSON.parse(readFileSync(path.resolve(ROOT, EXAMPLE), "utf8"))
  );
  const readers = flow.filter(({ type }) => type === "xrtc-in");
  if (readers.length === 0) throw new Error(`${EXAMPLE} has no xrtc-in node`);
  for (const reader of readers) reader.wires = [[...(reader.wires?.[0] ?? []), PROBE_ID]];
  const place = { z: readers[0]?.z, x: 100, y: 1000 };
  const look = { name: PROBE, active: true, tosidebar: false, console: true, complete: "payload" };
  return [...flow, { id: PROBE_ID, type: "debug", ...place, ...look, wires: [] }];
}

/** @param {string} editor the editor's address */
async function checkTypes(editor) {
  const headers = { accept: "application/json" };
  const answer = await fetch(`${editor}/nodes`, { headers });
  if (answer.status !== 200) throw new Error(`GET /nodes answered ${answer.status}`);
  const all =
    /** @type {{ module: string, name: string, types: string[], enabled: boolean, err?: unknown, version: string }[]} */ (
      await answer.json()
    );
  const sets = all.filter(({ module }) => module === manifest.name);
  for (const name of Object.keys(manifest["node-red"].nodes)) {
    const set = sets.find((one) => one.name === name);
    if (set === undefined) throw new Error(`${name} was not found`);
    if (set.err !== undefined)
      throw new Error(`${name} failed to load: ${JSON.stringify(set.err)}`);
    if (!set.enabled || !set.types.includes(name)) throw new Error(`${name} was not loaded`);
  }
  console.log(`loaded: ${sets.flatMap(({ types }) => types).join(", ")} (${sets[0]?.version})`);
}

/** @param {string} editor */
async function deployExample(editor) {
  const answer = await fetch(`${editor}/flows`, {
    method: "POST",
    headers: { "content-type": "application/json", "node-red-deployment-type": "full" },
    body: JSON.stringify(exampleWithProbe()),
  });
  if (!answer.ok) throw new Error(`POST /flows answered ${answer.status}: ${await answer.text()}`);
}

/** @param {string} folder */
async function check(folder) {
  const name = process.env["NODE_RED_PKG"] ?? nodeRedPackage(process.versions.node);
  const { version } = createRequire(import.meta.url)(`${name}/package.json`);
  console.log(`Node-RED ${version} on Node.js ${process.version}, with an empty user directory`);
  await install(folder);
  const port = await freePort();
  const nodeRed = new NodeRed(name, folder, port);
  try {
    await nodeRed.printed(/Server now running at/, 1, START_MS_MAX);
    const editor = `http://127.0.0.1:${port}`;
    await checkTypes(editor);
    await deployExample(editor);
    const items = await nodeRed.printed(
      new RegExp(`\\[debug:${PROBE}\\]`),
      ITEMS_MIN,
      ITEMS_MS_MAX,
    );
    console.log(`${items.length} items arrived in "${EXAMPLE}"`);
    await nodeRed.stop();
    // What it warns of before the deploy is the empty user directory.
    const deployed = nodeRed.lines.findIndex((line) => line.includes("Updated flows"));
    const wrong = nodeRed.lines.filter(
      (line, at) => /\[(error|fatal)\]/.test(line) || (at > deployed && line.includes("[warn]")),
    );
    if (wrong.length > 0) throw new Error(`Node-RED complained:\n${wrong.join("\n")}`);
  } catch (error) {
    console.error(nodeRed.lines.map((line) => `  | ${line}`).join("\n"));
    throw error;
  } finally {
    await nodeRed.stop();
  }
}

try {
  await inTemporaryFolder(check);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
