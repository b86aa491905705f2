import { parseEnv } from "node:util";
import { asError } from "../../errors.js";
import type { AccountArguments, Credentials, Given } from "./arguments.js";
import { type Config, variableOf } from "./config-options.js";
import { configOfFile, configOfVariables, readText } from "./sources.js";
import { UsageError } from "./usage-error.js";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Everything that the command was told, by whichever way. */
export interface ServeConfig {
  readonly config: Config;
  /** The file that part of it stands in. */
  readonly configFile: string | undefined;
  /** Undefined when nobody named any. */
  readonly credentials: { readonly accountId: string; readonly apiKey: string } | undefined;
}

/**
 * Arguments before variables, variables before the dotenv file, that before the config file.
 *
 * @throws UsageError
 */
export function serveConfigOf(given: Given & Credentials, environment: Variables): ServeConfig {
  const envFile = firstOf(given.envFile, environment[variableOf("envFile")]);
  const dotenv = envFile === undefined ? {} : readDotenv(envFile);
  const configVariable = variableOf("config");
  const configFile = firstOf(given.configFile, environment[configVariable], dotenv[configVariable]);
  const levels = [
    configFile === undefined ? {} : configOfFile(configFile),
    configOfVariables(dotenv),
    configOfVariables(environment),
    given.config,
  ];
  const account = [given.accountId, environment["ACCOUNT_ID"], dotenv["ACCOUNT_ID"]];
  const key = [given.apiKey, environment["API_KEY"], dotenv["API_KEY"]];
  return {
    config: levels.reduce(merged),
    configFile,
    credentials: pairOf(firstOf(...account), firstOf(...key)),
  };
}

/**
 * Where the accounts are kept that `xrtc-server account` shall change.
 *
 * @throws UsageError
 */
export function accountsPathOf(given: AccountArguments, environment: Variables): string {
  const told = firstOf(given.accounts, environment[variableOf("accounts")]);
  if (told !== undefined) return told;
  const configFile = firstOf(given.configFile, environment[variableOf("config")]);
  const path = configFile === undefined ? undefined : configOfFile(configFile).accounts;
  if (path !== undefined) return path;
  throw new UsageError("there is no file of accounts: give --accounts or XRTC_SERVER_ACCOUNTS");
}

/** An empty value counts as none: that is how a variable is switched off. */
const firstOf = (...values: readonly (string | undefined)[]): string | undefined =>
  values.find((value) => value !== undefined && value !== "");

function readDotenv(path: string): Variables {
  const text = readText(path, "--env-file");
  try {
    return parseEnv(text);
  } catch (thrown) {
    throw new UsageError(`--env-file: ${path}: ${asError(thrown).name}`);
  }
}

/** What is made of parts is merged by its parts; of two ways to name the engine the higher one counts. */
function merged(lower: Config, higher: Config): Config {
  const isEngineNamed = higher.engine !== undefined || higher.engineUrlFile !== undefined;
  return {
    ...(isEngineNamed ? withoutEngine(lower) : lower),
    ...higher,
    ...mergedPart("limits", lower, higher),
    ...mergedPart("bounds", lower, higher),
    ...mergedPart("extensions", lower, higher),
  };
}

const withoutEngine = (config: Config): Config =>
  Object.fromEntries(
    Object.entries(config).filter(([name]) => name !== "engine" && name !== "engineUrlFile"),
  );

const mergedPart = (
  part: "limits" | "bounds" | "extensions",
  lower: Config,
  higher: Config,
): Config =>
  lower[part] === undefined && higher[part] === undefined
    ? {}
    : { [part]: { ...lower[part], ...higher[part] } };

function pairOf(
  accountId: string | undefined,
  apiKey: string | undefined,
): ServeConfig["credentials"] {
  if (accountId === undefined && apiKey === undefined) return undefined;
  if (accountId === undefined) {
    throw new UsageError("there is an API key but no account id: give --account or ACCOUNT_ID");
  }
  if (apiKey === undefined) {
    throw new UsageError("there is an account id but no API key: give --key or API_KEY");
  }
  return { accountId, apiKey };
}
