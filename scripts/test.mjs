// @ts-check
/**
 * `npm test`: type check, lint, format, build, then every mocha test, with the counts as its last line.
 * `--mocha` leaves the checks out and keeps the build as it is. Other arguments go to mocha: files, or `-g <pattern>`.
 *
 * What computes for minutes runs beside the tests that wait, with what they leave of the processor; those that start
 * servers and brokers run beside them, too.
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

/** What runs beside all other tests, in processes of its own. */
const BESIDE = [
  {
    title: "the simulation",
    files: ["test/simulation/**/*.test.ts"],
    msMax: 120_000,
    yields: true,
  },
  {
    title: "tests of whole processes",
    files: ["browser", "conformance", "examples", "processes"].map(
      (folder) => `test/${folder}/**/*.test.ts`,
    ),
    msMax: 20_000,
    yields: false,
  },
];

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
 * @param {{ env?: NodeJS.ProcessEnv, output?: number, yields?: boolean }} [options] - `output`: a file's descriptor;
 *   `yields`: it gives way to whatever else runs
 * @returns {Promise<number>} its exit code, 124 when the deadline ended it
 */
function run(command, args, msMax, { env = process.env, output, yields = false } = {}) {
  return new Promise((resolve, reject) => {
    /** @type {import("node:child_process").StdioOptions} */
    const stdio = output === undefined ? "inherit" : ["ignore", output, output];
    const child = spawn(command, args, { cwd: ROOT, stdio, detached: true, env });
    if (yields && child.pid !== undefined) {
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
 * @param {{ env: NodeJS.ProcessEnv, output?: number, yields?: boolean }} options
 */
function mocha(args, options) {
  const bin = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
  return run(process.execPath, [bin, ...args], MOCHA_MS_MAX, options);
}

/**
 * Every test, in a few processes; what those beside the first have to say comes when it has ended.
 *
 * @param {NodeJS.ProcessEnv} env
 */
async function wholeSuite(env) {
  const folder = mkdtempSync(join(tmpdir(), "tests-"));
  try {
    const tally = join(folder, "tally");
    const withTally = { ...env, TEST_TALLY: tally };
    const beside = BESIDE.map(({ title, files, msMax, yields }, at) => {
      const log = join(folder, `${at}.log`);
      const output = openSync(log, "w");
      const args = ["--timeout", String(msMax), ...files];
      const ended = mocha(args, { env: withTally, output, yields });
      return { title, log, ended: ended.finally(() => closeSync(output)) };
    });
    const apart = BESIDE.flatMap(({ files }) => files).flatMap((file) => ["--ignore", file]);
    const codes = [await mocha([...apart, "test/**/*.test.ts"], { env: withTally })];
    for (const { title, log, ended } of beside) {
      codes.push(await ended);
      console.log(`\n── beside them: ${title}\n${readFileSync(log, "utf8")}`);
    }
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
