// @ts-check
/**
 * `npm run scorecard`: the flow library's own rules on the packed and installed package, and its lint on the example
 * flows. It needs the package registry, for the two tools and for what their rules look up.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ROOT, inTemporaryFolder, npm, pack, unpackInto } from "./tarball.mjs";

const SCORECARD = ["-p", "node-red-dev@0.1.6", "node-red-dev"];
const NRLINT = ["-p", "nrlint@1.2.0", "nrlint"];
const MS_MAX = 5 * 60_000;

/** The rules that have to be answered: the tool leaves out those that came after one that threw. */
const RULES = ["P01", "P03", "P04", "P05", "P06", "P07", "P08", "N01", "N02", "D01", "D02", "D03"];

/**
 * Warnings that are allowed, by rule: the packages that they may name, and why.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const ALLOWED = {
  // undici 8 needs a newer Node.js than the oldest one that this package supports.
  D03: ["undici"],
};

/**
 * @typedef {object} Rule the tool's word on one rule
 * @property {boolean} test whether it holds
 * @property {readonly string[]} [packages]
 * @property {readonly string[]} [nodes]
 */

/**
 * @param {readonly string[]} args of npx
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number, output: string }>}
 */
function npx(args, cwd, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn("npx", ["--yes", ...args], {
      ...{ cwd, env, timeout: MS_MAX, killSignal: "SIGKILL" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        output += text;
        process.stdout.write(text);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * @param {Readonly<Record<string, Rule>>} card
 * @param {string} output what the tool printed while it filled the card in
 * @returns {string[]} what is wrong
 */
function verdict(card, output) {
  const problems = RULES.flatMap((rule) => {
    const answer = card[rule];
    if (answer === undefined) return [`${rule} was not answered`];
    const allowed = ALLOWED[rule] ?? [];
    const named = answer.packages ?? [];
    const excused = named.length > 0 && named.every((name) => allowed.includes(name));
    return answer.test || excused ? [] : [`${rule} failed: ${JSON.stringify(answer)}`];
  });
  // The tool goes on, as if the node were not there, when it cannot read a node's html or an example.
  const unread = output.split("\n").filter((line) => /unable to (parse|read)/i.test(line));
  return [...problems, ...unread];
}

async function main() {
  const problems = await inTemporaryFolder(async (folder) => {
    await unpackInto(folder);
    await npm(["install", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"], folder);
    const stub = fileURLToPath(new URL("catalogue-stub.cjs", import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: `--require=${JSON.stringify(stub)}` };
    const out = join(folder, "scorecard.json");
    const { output } = await npx([...SCORECARD, "validate", "-p", folder, "-o", out], folder, env);
    return verdict(JSON.parse(readFileSync(out, "utf8")), output);
  });

  const { files } = await pack("--dry-run");
  const examples = files.map(({ path }) => path).filter((path) => path.startsWith("examples/"));
  if (examples.length === 0) problems.push("There are no example flows.");
  // One at a time: given several files, the tool prints its help and reports success.
  for (const example of examples) {
    const { code, output } = await npx([...NRLINT, "-c", ".nrlintrc.js", example], ROOT);
    if (code !== 0 || !/\b0 problems\b/.test(output)) problems.push(`nrlint on ${example} failed`);
  }

  for (const problem of problems) console.error(`✖ ${problem}`);
  console.log(problems.length === 0 ? "Scorecard: every rule holds." : "Scorecard: failed.");
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
