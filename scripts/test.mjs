// @ts-check
/**
 * `npm test`: type check, lint, format, build, then every mocha test, with the counts as its last line.
 * `--mocha` leaves the checks out and keeps the build as it is. Other arguments go to mocha: files, or `-g <pattern>`.
 *
 * The simulation computes for minutes, and most other tests wait: it runs beside them, with what they leave of the
 * processor.
 *
 * `NODE_RED_PKG` names the Node-RED under test; without it, the newest line that this Node.js can run.
 */
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, setPriority, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nodeRedPackage } from "./node-red-line.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const CHECKS = ["typecheck", "lint", "format:check", "build"];
const CHECK_MS_MAX = 5 * 60_000;
const MOCHA_MS_MAX = 12 * 60_000;

/** What computes and hardly waits. */
const COMPUTING = "test/simulation/**/*.test.ts";

const LEFT_OUT = [
  "the load check, which installs the tarball from the registry into an empty user directory",
  "the scorecard of the flow library and the lint of the example flows, which fetch their tools",
  "the other line of Node-RED, on the Node.js that fits it",
];

/**
 * Runs a command in a process group of its own, so that the deadline ends everything that it started.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} msMax
 * @param {{ env?: NodeJS.ProcessEnv, output?: number }} [options] - `output`: a file's descriptor; then it also gives
 *   way to whatever else runs
 * @returns {Promise<number>} its exit code, 124 when the deadline ended it
 */
function run(command, args, msMax, { env = process.env, output } = {}) {
  return new Promise((resolve, reject) => {
    /** @type {import("node:child_process").StdioOptions} */
    const stdio = output === undefined ? "inherit" : ["ignore", output, output];
    const child = spawn(command, args, { cwd: ROOT, stdio, detached: true, env });
    if (output !== undefined && child.pid !== undefined) {
      setPriority(child.pid, constants.priority.PRIORITY_LOW);
    }
    let expired = false;
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch (error) {
        // The group may have ended between the deadline and here.
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    };
    const deadline = setTimeout(() => {
      expired = true;
      console.error(`\n${command} ${args[0] ?? ""} did not end within ${msMax / 1000} s`);
      end("SIGKILL");
    }, msMax);
    const onSignal = () => end("SIGTERM");
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(deadline);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
      resolve(expired ? 124 : (code ?? 1));
    });
  });
}

async function main() {
  const args = process.argv.slice(2);
  const mochaOnly = args.includes("--mocha");
  const mochaArgs = args.filter((arg) => arg !== "--mocha");
  if (!mochaOnly) {
    for (const check of CHECKS) {
      console.log(`── ${check}`);
      const code = await run("npm", ["run", "--silent", check], CHECK_MS_MAX);
      if (code !== 0) {
        console.error(`\n${check} failed`);
        return code;
      }
    }
  }
  const nodeRed = process.env["NODE_RED_PKG"] ?? nodeRedPackage(process.versions.node);
  console.log(`── tests, with ${nodeRed} on Node.js ${process.version}`);
  if (process.env["CI"] === undefined) {
    console.log(`Left out here, and run by .ci/run:\n  - ${LEFT_OUT.join("\n  - ")}`);
  }
  const env = { ...process.env, NODE_RED_PKG: nodeRed };
  if (mochaArgs.length > 0) {
    const files = mochaArgs.some((arg) => arg.endsWith(".ts")) ? [] : ["test/**/*.test.ts"];
    return mocha([...mochaArgs, ...files], { env });
  }
  return wholeSuite(env);
}

/**
 * @param {readonly string[]} args
 * @param {{ env: NodeJS.ProcessEnv, output?: number }} options
 */
function mocha(args, options) {
  const bin = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
  return run(process.execPath, [bin, ...args], MOCHA_MS_MAX, options);
}

/**
 * Every test, in two processes; what the second one has to say comes when the first has ended.
 *
 * @param {NodeJS.ProcessEnv} env
 */
async function wholeSuite(env) {
  const folder = mkdtempSync(join(tmpdir(), "tests-"));
  try {
    const tally = join(folder, "tally");
    const log = join(folder, "computing.log");
    const output = openSync(log, "w");
    const withTally = { ...env, TEST_TALLY: tally };
    const computing = mocha(["--timeout", "120000", COMPUTING], { env: withTally, output });
    const waiting = mocha(["--ignore", COMPUTING, "test/**/*.test.ts"], { env: withTally });
    const codes = await Promise.all([computing, waiting]);
    closeSync(output);
    console.log(`\n── beside them, the simulation\n${readFileSync(log, "utf8")}`);
    const sums = sumsOf(readFileSync(tally, "utf8"));
    // Whoever ended without its counts has failed before or after its tests.
    if (codes.some((code) => code !== 0) && sums.failed === 0) sums.failed = 1;
    const line = `${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`;
    console.log(line);
    const outer = process.env["TEST_TALLY"];
    if (outer !== undefined) appendFileSync(outer, `${line}\n`);
    return codes.find((code) => code !== 0) ?? 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} tally - lines such as `12 passed, 0 failed, 1 skipped` */
function sumsOf(tally) {
  const sums = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, skipped] of tally.matchAll(
    /(\d+) passed, (\d+) failed, (\d+) skipped/g,
  )) {
    sums.passed += Number(passed);
    sums.failed += Number(failed);
    sums.skipped += Number(skipped);
  }
  return sums;
}

process.exitCode = await main();
