/** The README, taken apart: its code, its tables, its sections. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/tree.js";

export interface CodeBlock {
  /** What stands behind the opening fence, such as `js`. */
  readonly language: string;
  readonly code: string;
  /** The comment line `<!-- … -->` above it, if there is one. */
  readonly mark: string | undefined;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** A table's rows without its head, as trimmed cells. */
export type Rows = readonly (readonly string[])[];

export const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");

export const readme = readText("README.md");

/** Every fenced block of a Markdown text. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const fenced = /^(?:<!-- (?<mark>.*?) -->\n+)?```(?<language>\w*)\n(?<code>[^]*?)^```$/gm;
  return [...markdown.matchAll(fenced)].map(({ index, groups = {} }) => {
    const { mark, language = "", code = "" } = groups;
    const before = markdown.slice(0, markdown.indexOf("```", index));
    return { mark, language, code, line: before.split("\n").length };
  });
}

/** What stands below a heading, up to the next one of its level or above. */
export function section(title: string): string {
  const lines = readme.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === title);
  if (start === -1) throw new Error(`the README has no section "${title}"`);
  const level = /^#+/.exec(lines[start] ?? "")?.[0].length ?? 1;
  const below = lines.slice(start + 1);
  const end = below.findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? Infinity) <= level);
  return below.slice(0, end === -1 ? undefined : end).join("\n");
}

/** The tables of a Markdown text. */
export function tables(markdown: string): Rows[] {
  const blocks = markdown.match(/(?:^\|.*\|$\n?)+/gm) ?? [];
  return blocks.map((block) => block.trim().split("\n").slice(2).map(cells));
}

/** The one table of a section. */
export function tableOf(title: string): Rows {
  const [table, ...more] = tables(section(title));
  if (table === undefined || more.length > 0) throw new Error(`"${title}" needs one table`);
  return table;
}

const cells = (row: string): string[] =>
  row
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());

/** A cell without the marks of code. */
export const plain = (cell: string | undefined): string => (cell ?? "").replaceAll("`", "");
