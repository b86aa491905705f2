// @ts-check
/**
 * `npm run kills -- [--count 50] [--seed <n>] [--minutes 15]`: so many SIGKILLs of servers and as many of their Redis,
 * at random moments under load. It ends with 0 only if nothing that was acknowledged was lost, and nothing came twice.
 */
import { randomInt } from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";
import { parseArgs } from "node:util";

/** @type {typeof import("../test/processes/kill-run.js")} */
const { killAndCheck } = createRequire(import.meta.url)("../test/processes/kill-run.ts");

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "50" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    minutes: { type: "string", default: "15" },
  },
});
const minutes = Number(values.minutes);
const deadline = setTimeout(() => {
  console.error(`not done within ${minutes} minutes`);
  process.exit(1);
}, minutes * 60_000);

console.log(`seed ${values.seed}`);
const startedAt = performance.now();
const report = await killAndCheck({
  kills: Number(values.count),
  seed: Number(values.seed),
  onKill(victim, at) {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${seconds} s: SIGKILL to ${victim}, the ${at}.`);
  },
});
clearTimeout(deadline);
const { violations, ...figures } = report;
console.log(figures);
for (const violation of violations) console.log(violation);
console.log(violations.length === 0 ? "nothing lost, nothing twice" : "failed");
process.exitCode = violations.length === 0 ? 0 : 1;
