import { parseArgs, parseEnv } from "node:util";
import { asError } from "../errors.js";
import type { LimitsPreset } from "../protocol/limits.js";

/** A mistake in how the command was called: its message is for the one who typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Usage: xrtc-server [options]

A local XRTC server in this process's memory.

  --port <number>     port to listen on, 0 for any free one (default 8480)
  --host <address>    address to listen on (default 127.0.0.1)
  --allow-insecure    allow plain HTTP beyond this machine
  --account <id>      account id; else ACCOUNT_ID from the environment or the file
  --key <key>         API key; else API_KEY from the environment or the file
                      (an argument can be seen in the list of processes)
  --env-file <path>   a dotenv file with ACCOUNT_ID and API_KEY
  --preset <name>     limits: local (default) or hosted
  --help              this text
  --version           the package's version

Without any credentials the server makes an account and a key for this run and prints them once.
`;

export interface CommandArguments {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly allowInsecure: boolean;
  readonly preset: LimitsPreset | undefined;
  /** Undefined when nobody named any. */
  readonly credentials: { readonly accountId: string; readonly apiKey: string } | undefined;
}

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "serve"; readonly arguments: CommandArguments };

export interface CommandSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws when the file cannot be read */
  readFile(path: string): string;
}

/**
 * What the command line asks for. A credential comes from the arguments, else the environment, else the file.
 *
 * @throws UsageError
 */
export function parseCommand(argv: readonly string[], sources: CommandSources): Command {
  const values = valuesOf(argv);
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  const file = values["env-file"];
  const fromFile = file === undefined ? {} : readEnv(file, sources);
  const { environment } = sources;
  const accountId = firstOf(values.account, environment["ACCOUNT_ID"], fromFile["ACCOUNT_ID"]);
  const apiKey = firstOf(values.key, environment["API_KEY"], fromFile["API_KEY"]);
  return {
    kind: "serve",
    arguments: {
      host: values.host,
      port: portOf(values.port),
      allowInsecure: values["allow-insecure"] === true,
      preset: presetOf(values.preset),
      credentials: pairOf(accountId, apiKey),
    },
  };
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

function valuesOf(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: text,
        host: text,
        "allow-insecure": flag,
        account: text,
        key: text,
        "env-file": text,
        preset: text,
        help: flag,
        version: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}

function readEnv(path: string, sources: CommandSources): Record<string, string | undefined> {
  try {
    return parseEnv(sources.readFile(path));
  } catch (error) {
    throw new UsageError(`--env-file: ${asError(error).message}`);
  }
}

/** An empty value counts as none: that is how a variable is switched off. */
const firstOf = (...values: readonly (string | undefined)[]): string | undefined =>
  values.find((value) => value !== undefined && value !== "");

function portOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new UsageError(`--port: expected a number from 0 to 65535, got "${value}"`);
}

function presetOf(value: string | undefined): LimitsPreset | undefined {
  if (value === undefined || value === "local" || value === "hosted") return value;
  throw new UsageError(`--preset: expected local or hosted, got "${value}"`);
}

function pairOf(
  accountId: string | undefined,
  apiKey: string | undefined,
): CommandArguments["credentials"] {
  if (accountId === undefined && apiKey === undefined) return undefined;
  if (accountId === undefined) {
    throw new UsageError("there is an API key but no account id: give --account or ACCOUNT_ID");
  }
  if (apiKey === undefined) {
    throw new UsageError("there is an account id but no API key: give --key or API_KEY");
  }
  return { accountId, apiKey };
}
