/** `npm run bench`: measures this package beside its floor and its peers. See README.md in this folder. */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { missingOf, readersAllowed, type Peer } from "./installed.js";
import { FULL, FULL_ONLY, planOf, QUICK } from "./plan.js";
import { machine, markdownOf, type Report } from "./report.js";
import { runEntry, type Run } from "./run.js";
import type { Section } from "./sections.js";
import { FULL_EXTENT, QUICK_EXTENT, serverPlan, type ServerEntry } from "./server/plan.js";
import { runServerEntry } from "./server/run.js";
import { SERVER_TARGETS } from "./server/targets.js";
import { TARGETS, verdicts } from "./targets.js";

const USAGE = `Usage: npm run bench -- [options]
  --server           the server alone: readers that wait, fan-out, sets, growth
  --quick            a short version, under a minute: it shows that everything runs
  --rounds N         interleaved rounds (5; 1 with --quick)
  --way WAY          loopback or delayed (both); with --server: waiting, fan-out, sets, growth (all)
  --only TEXT        contenders whose name contains the text; may be given several times
  --against FOLDER   another, built checkout of this package, measured beside this one
  --json FILE        every run's figures
  --markdown FILE    the report
  --profile FOLDER   CPU profiles of the client and the server; use it with --only`;

/** Minutes after which no further run is started. */
const MINUTES_MAX = 40;

class UsageError extends Error {}

function parseCommand() {
  const options = {
    server: { type: "boolean" },
    quick: { type: "boolean" },
    rounds: { type: "string" },
    way: { type: "string" },
    only: { type: "string", multiple: true },
    against: { type: "string" },
    json: { type: "string" },
    markdown: { type: "string" },
    profile: { type: "string" },
    help: { type: "boolean" },
  } as const;
  try {
    const { values } = parseArgs({ options, allowPositionals: false });
    const { server = false, quick = false, rounds = quick ? "1" : "5", way } = values;
    const ways = server ? ["waiting", "fan-out", "sets", "growth"] : ["loopback", "delayed"];
    if (!/^[1-9]\d?$/.test(rounds)) throw new Error(`--rounds: expected 1 to 99`);
    if (way !== undefined && !ways.includes(way)) {
      throw new Error(`--way: expected ${ways.join(" or ")}`);
    }
    return { ...values, server, quick, rounds: Number(rounds), way };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Command = ReturnType<typeof parseCommand>;

/** Something to measure, in one round after another. */
interface Chosen {
  readonly way: Section;
  readonly contender: string;
  run(round: number, profileDir: string | undefined): Promise<Run>;
}

interface Choice {
  readonly entries: readonly Chosen[];
  readonly leftOut: readonly string[];
}

async function chosen(command: Command): Promise<Choice> {
  const { way, only } = command;
  const { entries, leftOut } = await (command.server ? ofServer(command) : ofWays(command));
  const wanted = entries.filter(
    (entry) =>
      (way === undefined || entry.way === way) &&
      (only === undefined || only.some((text) => entry.contender.includes(text))),
  );
  return { entries: wanted, leftOut };
}

async function ofWays({ quick, against }: Command): Promise<Choice> {
  const missing = await missingOf(["mosquitto"]);
  const entries = planOf(quick ? QUICK : FULL, rootOf(against)).filter(
    (entry) =>
      !(quick && FULL_ONLY.has(entry.contender)) &&
      (missing.length === 0 || entry.client.kind !== "mqtt"),
  );
  const runs = entries.map((entry) => ({
    way: entry.way,
    contender: entry.contender,
    run: (round: number, profileDir: string | undefined) => runEntry(entry, round, profileDir),
  }));
  return { entries: runs, leftOut: missing.map(({ why }) => why) };
}

async function ofServer({ quick, against }: Command): Promise<Choice> {
  const missing = await missingOf(["mosquitto", "redis"]);
  const wanted = quick ? QUICK_EXTENT : FULL_EXTENT;
  const waitingReaders = readersAllowed(wanted.waitingReaders);
  const plan = serverPlan({ ...wanted, waitingReaders }, rootOf(against));
  const isHere = ({ server }: ServerEntry): boolean =>
    !missing.some(({ peer }) => peer === peerOf(server));
  const runs = plan.filter(isHere).map((entry) => ({
    way: entry.section,
    contender: entry.contender,
    run: (round: number, profileDir: string | undefined) =>
      runServerEntry(entry, round, profileDir),
  }));
  const leftOut = missing.map(({ why }) => why);
  if (waitingReaders < wanted.waitingReaders) {
    leftOut.push(`A process may open too few files here: only ${waitingReaders} readers wait.`);
  }
  return { entries: runs, leftOut };
}

/** What a server needs that is not ours. */
function peerOf(server: ServerEntry["server"]): Peer | undefined {
  if (server.kind === "mosquitto" || server.kind === "redis") return server.kind;
  return server.kind === "xrtc" && server.redis !== undefined ? "redis" : undefined;
}

const rootOf = (against: string | undefined): string | undefined =>
  against === undefined ? undefined : path.resolve(against);

/** Every round in another order, so that no contender always comes after the same one. */
const turned = <T>(list: readonly T[], by: number): readonly T[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

async function measure(entries: readonly Chosen[], command: Command): Promise<readonly Run[]> {
  const runs: Run[] = [];
  const until = performance.now() + MINUTES_MAX * 60_000;
  const profileDir = command.profile === undefined ? undefined : path.resolve(command.profile);
  for (let round = 1; round <= command.rounds; round += 1) {
    for (const entry of turned(entries, (round - 1) * 3)) {
      if (performance.now() > until) {
        console.error(`${MINUTES_MAX} minutes are over: the remaining runs are left out.`);
        return runs;
      }
      const run = await entry.run(round, profileDir);
      runs.push(run);
      const figures = Object.entries(run.figures).map(
        ([name, value]) => `${name} ${value < 1_000 ? value.toFixed(2) : Math.round(value)}`,
      );
      const found = run.error ?? figures.join(", ");
      console.error(`${round}/${command.rounds} ${entry.way}, ${entry.contender}: ${found}`);
    }
  }
  return runs;
}

/** @returns the exit code: 1 when anything was lost, repeated, out of order or failed */
async function main(): Promise<number> {
  const command = parseCommand();
  if (command.help === true) {
    console.log(USAGE);
    return 0;
  }
  const { entries, leftOut } = await chosen(command);
  if (entries.length === 0) throw new UsageError("there is nothing of that name to measure");
  const runs = await measure(entries, command);
  const { quick, rounds } = command;
  const held = verdicts(runs, command.server ? SERVER_TARGETS : TARGETS);
  const report: Report = {
    machine: machine(),
    rounds,
    quick,
    left_out: leftOut,
    verdicts: held,
    runs,
  };
  console.log(markdownOf(report));
  if (command.json !== undefined) write(command.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (command.markdown !== undefined) {
    write(command.markdown, `# Measured\n\n${markdownOf(report)}`);
  }
  return runs.some(isFaulty) ? 1 : 0;
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, text);
}

/** A run of this package that failed, lost, repeated or disordered. Its peers are told of, and do not count. */
function isFaulty({ contender, faults, error }: Run): boolean {
  if (!contender.startsWith("SDK") && !contender.startsWith("XRTC")) return false;
  if (error !== undefined || faults === undefined) return true;
  return faults.lost + faults.repeated + faults.disordered + faults.failed > 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

void main()
  .catch((error: unknown) => {
    console.error(error instanceof UsageError ? `${error.message}\n${USAGE}` : error);
    return error instanceof UsageError ? 2 : 1;
  })
  .then((code) => process.exit(code));
