/** One way to tell the command something, made into members of the config. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import JSON5 from "json5";
import type * as z from "zod";
import { asError } from "../../errors.js";
import {
  type Config,
  configSchema,
  MEMBERS,
  OPTION_SPECS,
  type OptionKind,
  VARIABLE_PREFIX,
  variableOf,
} from "./config-options.js";
import { UsageError } from "./usage-error.js";

/** Text by member, as arguments and variables have it. */
export type Texts = Readonly<Partial<Record<keyof Config, string | boolean | readonly string[]>>>;

/**
 * Config from texts.
 *
 * @param nameOf - what the one who wrote them calls a member
 * @throws UsageError
 */
export function configOfTexts(texts: Texts, nameOf: (member: keyof Config) => string): Config {
  const config: Record<string, unknown> = {};
  for (const member of MEMBERS) {
    const text = texts[member];
    if (text === undefined || text === "") continue;
    config[member] = READ[OPTION_SPECS[member].kind](text as never, nameOf(member));
  }
  return checked(config, (member) => nameOf(member as keyof Config));
}

/** The variables of the environment, or of a dotenv file, that are options. @throws UsageError */
export function configOfVariables(variables: Readonly<Record<string, string | undefined>>): Config {
  const members = new Map(MEMBERS.map((member) => [variableOf(member), member]));
  const texts: Record<string, string> = {};
  for (const [name, text = ""] of Object.entries(variables)) {
    if (!name.startsWith(VARIABLE_PREFIX) || APART.has(name) || isOrchestrators(name, text))
      continue;
    const member = members.get(name);
    if (member === undefined) throw new UsageError(`${name}: there is no such variable`);
    texts[member] = text;
  }
  return configOfTexts(texts, variableOf);
}

/** Variables that say where others are. */
const APART: ReadonlySet<string> = new Set([variableOf("config"), variableOf("envFile")]);

/** Kubernetes tells every container of a service named xrtc-server by variables of its own, of our form. */
const isOrchestrators = (name: string, text: string): boolean =>
  /^XRTC_SERVER_(?:SERVICE_|PORT_\d)/.test(name) ||
  (name === "XRTC_SERVER_PORT" && /^(?:tcp|udp):\/\//.test(text));

/** The config file: JSON, or JSON5 with comments. Its paths begin at its own folder. @throws UsageError */
export function configOfFile(path: string): Config {
  const parsed = parsedOf(path);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`${path}: expected one object with options`);
  }
  const config = checked(parsed, (member) => `${path}: ${member}`);
  const folder = dirname(resolve(path));
  return Object.fromEntries(
    Object.entries(config).map(([member, value]) => {
      const isPath = OPTION_SPECS[member as keyof Config].kind === "path";
      return [member, isPath ? resolve(folder, value as string) : value];
    }),
  );
}

function parsedOf(path: string): unknown {
  const text = readText(path, "--config");
  try {
    return JSON5.parse(text);
  } catch (thrown) {
    // Its place, and not its text: there may be a password in it.
    const { lineNumber = 1, columnNumber = 1 } = thrown as Record<string, number>;
    throw new UsageError(`${path}: this is no JSON5, at line ${lineNumber}:${columnNumber}`);
  }
}

/** A file's text. @throws UsageError that names the option and the file, and shows nothing of it */
export function readText(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    const { code, message } = asError(thrown) as NodeJS.ErrnoException;
    throw new UsageError(`${option}: cannot read ${path}: ${REASONS[code ?? ""] ?? message}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not",
  EISDIR: "it is a folder",
};

function checked(given: object, nameOf: (member: string) => string): Config {
  const parsed = configSchema.safeParse(given);
  if (parsed.success) return parsed.data as Config;
  const mistakes = parsed.error.issues.flatMap((issue) => describe(issue, nameOf));
  throw new UsageError(mistakes.join("; "));
}

function describe(issue: z.core.$ZodIssue, nameOf: (member: string) => string): string[] {
  const [member, ...rest] = issue.path.map(String);
  const name = (...more: string[]): string => {
    const [first = "", ...others] = member === undefined ? more : [member, ...rest, ...more];
    return [nameOf(first), ...others].join(".");
  };
  if (issue.code !== "unrecognized_keys") return [`${name()}: ${issue.message}`];
  return issue.keys.map((key) => `${name(key)}: there is no such member`);
}

type Read = (text: never, name: string) => unknown;

const READ: Readonly<Record<OptionKind, Read>> = {
  text: (text: string) => text,
  path: (text: string) => text,
  number: (text: string, name: string) => numberOf(text, name),
  flag: (text: string | boolean, name: string) =>
    typeof text === "boolean" ? text : isOn(text, name),
  list: (text: string | readonly string[]) => listOf(text),
  numbers: (text: string | readonly string[], name: string) => pairsOf(text, name, numberOf),
  switches: (text: string | readonly string[], name: string) => pairsOf(text, name, isOn),
};

function numberOf(text: string, name: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${name}: expected a number, got "${text}"`);
}

function isOn(text: string, name: string): boolean {
  if (/^(?:on|true|yes|1)$/.test(text)) return true;
  if (/^(?:off|false|no|0)$/.test(text)) return false;
  throw new UsageError(`${name}: expected on or off, got "${text}"`);
}

const listOf = (text: string | readonly string[]): string[] =>
  (typeof text === "string" ? text.split(",") : [...text]).map((part) => part.trim());

function pairsOf<T>(
  text: string | readonly string[],
  name: string,
  read: (text: string, name: string) => T,
): Record<string, T> {
  const pairs = listOf(text).map((pair) => {
    const equals = pair.indexOf("=");
    if (equals === -1) throw new UsageError(`${name}: expected name=value, got "${pair}"`);
    const key = pair.slice(0, equals);
    return [key, read(pair.slice(equals + 1), `${name} ${key}`)] as const;
  });
  return Object.fromEntries(pairs);
}
