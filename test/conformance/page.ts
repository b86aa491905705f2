import { type Clause, SECTIONS } from "./clauses.js";

const BEGIN = "<!-- clauses -->";
const END = "<!-- end of clauses -->";

function entry({ id, part, text, unseen, notHosted }: Clause): string {
  const marks = [
    ...(part === "decision" ? ["decision"] : []),
    ...(unseen === undefined ? [] : [`not to be seen from outside: ${unseen}`]),
    ...(notHosted === undefined ? [] : [`the hosted service is not asked: ${notHosted}`]),
  ];
  return `- **${id}** ${text}${marks.length > 0 ? ` _(${marks.join("; ")})_` : ""}`;
}

/** The part of docs/protocol.md that lists the clauses. */
export const clausesPart = (): string =>
  [
    BEGIN,
    ...SECTIONS.flatMap(({ title, clauses }, at) => [
      `## ${at + 1} ${title}`,
      clauses.map(entry).join("\n"),
    ]),
    END,
  ].join("\n\n");

/** The page with its list made anew. */
export function withClauses(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const [, after] = (rest ?? "").split(END);
  if (before === undefined || after === undefined) throw new Error("the page has no list");
  return `${before}${clausesPart()}${after}`;
}
