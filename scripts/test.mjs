// @ts-check
/**
 * `npm test`: type check, lint, format, build, then every mocha test, with the counts as its last line.
 * `--mocha` leaves the checks out and keeps the build as it is. Other arguments go to mocha: files, or `-g <pattern>`.
 *
 * `NODE_RED_PKG` names the Node-RED under test; without it, the newest line that this Node.js can run.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nodeRedPackage } from "./node-red-line.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const CHECKS = ["typecheck", "lint", "format:check", "build"];
const CHECK_MS_MAX = 5 * 60_000;
const MOCHA_MS_MAX = 12 * 60_000;

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
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} its exit code, 124 when the deadline ended it
 */
function run(command, args, msMax, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", detached: true, env });
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
  const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
  const files = mochaArgs.some((arg) => arg.endsWith(".ts")) ? [] : ["test/**/*.test.ts"];
  const env = { ...process.env, NODE_RED_PKG: nodeRed };
  return run(process.execPath, [mocha, ...mochaArgs, ...files], MOCHA_MS_MAX, env);
}

process.exitCode = await main();
