/** A measurement in words: what was measured, what came out, and how it stands. */

import { cpus } from "node:os";
import { PAYLOAD_BYTES } from "./plan.js";
import type { Run } from "./run.js";
import { SECTIONS, type Section } from "./sections.js";
import { spreadOf, type Spread } from "./statistics.js";
import type { Verdict } from "./targets.js";

/** What has to be known of the machine; nothing that names it. */
export const machine = () => ({
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cores: cpus().length,
});

export interface Report {
  readonly machine: ReturnType<typeof machine>;
  readonly rounds: number;
  /** Whether it was the short version, which shows that everything runs and measures little. */
  readonly quick: boolean;
  readonly left_out: readonly string[];
  readonly verdicts: readonly Verdict[];
  readonly runs: readonly Run[];
}

/** What the figures of the whole way from a sender to its receiver are. */
const WAY_NOTE =
  "Latency is from the call to the receipt, in ms; rates are items a second, acknowledged and received; µs an item are CPU time of the process with the sender and the receiver, which tells more than the clock where others use the machine.";

/** The report as Markdown. */
export function markdownOf(report: Report): string {
  const { node, platform, cores } = report.machine;
  const sections = (Object.keys(SECTIONS) as Section[]).filter((section) =>
    report.runs.some(({ way }) => way === section),
  );
  const isOfWays = sections.some((section) => SECTIONS[section].note === undefined);
  const blocks = [
    `Node.js ${node}, ${platform}, ${cores} cores; ${report.rounds} interleaved rounds${report.quick ? ", the short version: no measurement" : ""}; payloads of ${PAYLOAD_BYTES} bytes. Medians, in brackets the least and the greatest of the rounds.${isOfWays ? ` ${WAY_NOTE}` : ""}`,
    ...report.left_out,
    ...sections.flatMap((section) => {
      const { title, note } = SECTIONS[section];
      const figures = figuresTable(report.runs, section);
      return [`## ${title}`, ...(note === undefined ? [] : [note]), figures];
    }),
    "## Ratios",
    "Of figures of one round each.",
    verdictsTable(report.verdicts),
    faultsLine(report.runs),
    ...errorLines(report.runs),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function figuresTable(runs: readonly Run[], way: Section): string {
  const own = runs.filter((run) => run.way === way);
  const paces = [...new Set(own.flatMap(({ figures }) => Object.keys(figures)))];
  const isOfWay = SECTIONS[way].note === undefined;
  const names = isOfWay ? paces.toSorted((a, b) => rank(a) - rank(b)) : paces;
  const contenders = [...new Set(own.map(({ contender }) => contender))];
  const rows = contenders.map((contender) => {
    const cells = names.map((name) => {
      const values = own
        .filter((run) => run.contender === contender)
        .flatMap(({ figures }) => figures[name] ?? []);
      return values.length === 0
        ? ""
        : spread(spreadOf(values), isOfWay ? digitsOf(name) : undefined);
    });
    return [contender, ...cells];
  });
  return table(["", ...names], rows);
}

const digitsOf = (name: string): number =>
  name === "rate" ? 0 : name.endsWith("µs an item") ? 1 : 2;

/** Paces in their order, the rate last. */
const rank = (name: string): number =>
  name.startsWith("rate") ? Infinity : Number.parseInt(name, 10);

function verdictsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ way, what, ratio, bound, met }) => [
    way,
    what,
    spread(ratio, 2),
    bound === undefined ? "" : `${bound.kind === "most" ? "≤" : "≥"} ${bound.value}`,
    met === undefined ? "" : met ? "met" : "**missed**",
  ]);
  return table(["way", "ratio of", "median (min–max)", "target", ""], rows);
}

/** The faults of all runs together, by contender where there are any. */
function faultsLine(runs: readonly Run[]): string {
  const items = runs.reduce((sum, run) => sum + run.items, 0);
  const faulty = runs.flatMap(({ way, contender, faults }) => {
    if (faults === undefined) return [];
    const { lost, repeated, disordered, failed } = faults;
    if (lost + repeated + disordered + failed === 0) return [];
    return `${contender} (${way}): ${lost} lost, ${repeated} repeated, ${disordered} out of order, ${failed} not acknowledged`;
  });
  if (faulty.length > 0) return `**Faults** in ${items} items:\n\n- ${faulty.join("\n- ")}`;
  return `Of ${items} items none was lost, repeated, out of order or left without an acknowledgement.`;
}

const errorLines = (runs: readonly Run[]): readonly string[] =>
  runs.flatMap(({ round, way, contender, error }) =>
    error === undefined ? [] : [`Round ${round}, ${contender} (${way}) failed: ${error}`],
  );

const number = (value: number, digits: number): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param digits - after the point; as many as say something where nothing else is said */
const spread = (
  { median, min, max }: Spread,
  digits = median >= 100 ? 0 : median >= 10 ? 1 : 2,
): string => `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
