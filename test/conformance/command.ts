/** The suite as a command, for any XRTC server at a base URL. */

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { HOSTED_BASE_URL } from "../../src/protocol/paths.js";
import { LIMITS, type Limits, type LimitsPreset } from "../../src/protocol/limits.js";
import { CASES } from "./cases/index.js";
import { CLAUSES, SECTIONS } from "./clauses.js";
import { withClauses } from "./page.js";
import { type Result, Run } from "./run.js";
import type { Account, Target } from "./target.js";

export const USAGE = `Usage: npm run conformance -- --url <base URL> [options]

Asks an XRTC server whether it keeps the protocol (docs/protocol.md), clause by clause.

  --url <base URL>        with the version at its end: http://localhost:8480/v1
  --preset <name>         the limits that it holds to: local or hosted
                          (default: hosted for the hosted service, else local)
  --limit <name>=<value>  a limit that differs, e.g. getTimeoutMs=1000; may be given again
  --extensions <names>    extensions that it offers, with commas; "none" for none
                          (default: all with the preset local, none with hosted)
  --fresh                 the accounts were never used: each serves one case
  --gentle                only what the hosted service may be asked, with at most 200 requests
                          (always on for the hosted service)
  --second-address <ip>   another address of this machine that reaches the server
  --list                  the clauses and their cases; asks nobody
  --page <file>           writes the clauses into docs/protocol.md; asks nobody
  --help                  this text

The credentials come from the environment alone:
  XRTC_CONFORMANCE_ACCOUNTS="AC…:key AC…:key:another-key"
One account is enough for most cases. Some need accounts that nobody used, with two keys: --fresh.
`;

/** Requests that the hosted service is asked at most. */
export const GENTLE_REQUESTS_MAX = 200;
/** No run makes more: a case that asks for ever must end. */
const REQUESTS_MAX = 50_000;

class UsageError extends Error {
  override readonly name = "UsageError";
}

const OPTIONS = {
  url: { type: "string" },
  preset: { type: "string" },
  limit: { type: "string", multiple: true },
  extensions: { type: "string" },
  fresh: { type: "boolean" },
  gentle: { type: "boolean" },
  "second-address": { type: "string" },
  list: { type: "boolean" },
  page: { type: "string" },
  help: { type: "boolean" },
} as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the exit code: 0 when all that was asked passed, 1 when something failed, 2 when the call was wrong */
export async function conformance(
  argv: readonly string[],
  environment: Environment,
  print: (line: string) => void,
): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS });
    if (values.help === true) print(USAGE);
    else if (values.list === true) list(print);
    else if (values.page !== undefined) renew(values.page);
    else return await ask(targetOf(values, environment), print);
    return 0;
  } catch (error) {
    const isUsage =
      error instanceof UsageError ||
      (error instanceof TypeError && "code" in error && String(error.code).includes("PARSE_ARGS"));
    if (!isUsage) throw error;
    print(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

function targetOf(values: Values, environment: Environment): Target {
  const { url, fresh } = values;
  if (url === undefined) throw new UsageError("--url is missing");
  if (!URL.canParse(url)) throw new UsageError("--url: not a URL");
  const isService = new URL(url).hostname === new URL(HOSTED_BASE_URL).hostname;
  const isHosted = isService || values.gentle === true;
  const preset = values.preset ?? (isHosted ? "hosted" : "local");
  if (preset !== "hosted" && preset !== "local") throw new UsageError("--preset: hosted or local");
  const accounts = accountsOf(environment["XRTC_CONFORMANCE_ACCOUNTS"]);
  if (fresh === true && isHosted)
    throw new UsageError("--fresh does not go with the hosted service");
  const secondAddress = values["second-address"];
  return {
    name: url,
    baseUrl: url.replace(/\/+$/, ""),
    limits: limitsOf(preset, values.limit ?? []),
    isHosted,
    accounts,
    ...(fresh === true ? { freshAccount: giveOut(accounts) } : {}),
    extensions: extensionsOf(values.extensions, preset),
    ...(secondAddress === undefined ? {} : { secondAddress }),
    requestsMax: isHosted ? GENTLE_REQUESTS_MAX : REQUESTS_MAX,
  };
}

function accountsOf(text: string | undefined): readonly Account[] {
  const accounts = (text ?? "")
    .split(/[\s,]+/)
    .filter((part) => part !== "")
    .map((part) => {
      const [accountId = "", apiKey = "", otherKey] = part.split(":");
      return otherKey === undefined ? { accountId, apiKey } : { accountId, apiKey, otherKey };
    });
  // Not what was found: it may hold a key.
  const isForm = accounts.every(
    ({ accountId, apiKey }) => /^AC\d+$/.test(accountId) && apiKey !== "",
  );
  if (accounts.length > 0 && isForm) return accounts;
  throw new UsageError("XRTC_CONFORMANCE_ACCOUNTS: expected accounts as AC…:key");
}

/** Gives each account out once. */
function giveOut(accounts: readonly Account[]): () => Account {
  let next = 0;
  return () => {
    const account = accounts[next];
    if (account === undefined) throw new Error("there are too few accounts for --fresh");
    next += 1;
    return account;
  };
}

function limitsOf(preset: LimitsPreset, changes: readonly string[]): Limits {
  const limits: Record<string, number> = { ...LIMITS[preset] };
  for (const change of changes) {
    const [name = "", value] = change.split("=");
    if (!(name in limits) || !/^\d+$/.test(value ?? "")) {
      throw new UsageError(
        `--limit: expected one of ${Object.keys(limits).join(", ")}, = and a number`,
      );
    }
    limits[name] = Number(value);
  }
  return limits as unknown as Limits;
}

function extensionsOf(text: string | undefined, preset: LimitsPreset): readonly string[] {
  if (text === undefined) return preset === "local" ? ["seq", "idempotency", "order"] : [];
  return text === "none" ? [] : text.split(",");
}

const renew = (path: string): void => writeFileSync(path, withClauses(readFileSync(path, "utf8")));

function list(print: (line: string) => void): void {
  for (const [at, { title, clauses }] of SECTIONS.entries()) {
    print(`\n${at + 1} ${title}`);
    for (const { id, part, text, unseen } of clauses) {
      print(`  ${id} (${part}) ${text}`);
      if (unseen !== undefined) print(`      not to be seen from outside: ${unseen}`);
      for (const { name, clauses: ids } of CASES) if (ids.includes(id)) print(`      - ${name}`);
    }
  }
}

async function ask(target: Target, print: (line: string) => void): Promise<number> {
  print(`${target.name}: ${CASES.length} cases, at most ${target.requestsMax} requests\n`);
  const run = new Run(target);
  const results = new Map<string, Result>();
  for (const { name, clauses } of CASES) {
    const result = await run.result(name);
    results.set(name, result);
    print(`${MARKS[result.kind]} ${name} (${clauses.join(", ")})${remark(result)}`);
  }
  await run.close();
  const open = CLAUSES.filter(
    ({ id, unseen }) =>
      unseen === undefined &&
      !CASES.some(
        ({ name, clauses }) => clauses.includes(id) && results.get(name)?.kind !== "not asked",
      ),
  );
  const unseen = CLAUSES.filter((clause) => clause.unseen !== undefined);
  print(`\nNot to be seen from outside: clauses ${ids(unseen)}`);
  print(`Not asked of this server: clauses ${open.length === 0 ? "none" : ids(open)}`);
  const count = (kind: Result["kind"]): number =>
    [...results.values()].filter((result) => result.kind === kind).length;
  const failed = count("failed");
  print(
    `${count("passed")} passed, ${failed} failed, ${count("not asked")} not asked; ${run.requests} requests`,
  );
  return failed === 0 ? 0 : 1;
}

const MARKS = { passed: "✔", failed: "✖", "not asked": "–" } as const;

const ids = (clauses: readonly { readonly id: string }[]): string =>
  clauses.map(({ id }) => id).join(", ");

function remark(result: Result): string {
  if (result.kind === "not asked") return `: not asked, ${result.why}`;
  if (result.kind === "passed") return "";
  const text = result.error instanceof Error ? result.error.message : String(result.error);
  return `\n    ${text.split("\n").slice(0, 8).join("\n    ")}`;
}
