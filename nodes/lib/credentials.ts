/** Which credentials a node uses; pure. */

import { parseEnv } from "node:util";
import { asError, printable, Redacted, XrtcError } from "../../src/index.js";
import { newAccountId, newApiKey } from "../../src/server/index.js";
import { unsetVariable } from "./saved-settings.js";
import type { ConfigSettings } from "./settings/config.js";

/** Credentials as Node-RED keeps them: encrypted on disk, never in an exported flow. */
export interface SavedCredentials {
  accountId?: string;
  apiKey?: string;
}

export interface Credentials {
  readonly accountId: string;
  readonly apiKey: Redacted;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where credentials may be found. */
export interface CredentialSources {
  /** What was typed into the node's own fields. */
  readonly saved: SavedCredentials | undefined;
  readonly environment: Environment;
  /** Reads a text file. @throws what the file system says */
  readonly readText: (path: string) => string;
}

/**
 * Account id and API key from where the settings say: the node's fields, the environment, or a dotenv file.
 *
 * @throws XrtcError XRTC_CREDENTIALS_MISSING when one is not there; XRTC_OPTIONS when the file cannot be read
 */
export function credentialsFrom(
  { credentialsFrom: source, dotenvFile }: Pick<ConfigSettings, "credentialsFrom" | "dotenvFile">,
  { saved, environment, readText }: CredentialSources,
): Credentials {
  switch (source) {
    case "fields":
      return credentialsOf(saved, environment);
    case "environment":
      return named(environment, "the environment");
    case "file":
      return named(envFile(dotenvFile, readText), "the dotenv file");
    default:
      return source satisfies never;
  }
}

function named(values: Environment, place: string): Credentials {
  const accountId = valueOf(values["ACCOUNT_ID"], undefined, `ACCOUNT_ID in ${place}`);
  const apiKey = valueOf(values["API_KEY"], undefined, `API_KEY in ${place}`);
  return { accountId, apiKey: new Redacted(apiKey) };
}

function envFile(path: string, readText: (path: string) => string): Environment {
  if (path === "") throw new XrtcError("XRTC_OPTIONS", "xrtc-config: dotenvFile: none is given");
  try {
    return parseEnv(readText(path));
  } catch (thrown) {
    const { code = "?" } = asError(thrown) as NodeJS.ErrnoException;
    // Neither text nor words of the parser: there is a key in that file.
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: dotenvFile: it cannot be read (${code})`);
  }
}

/**
 * Account id and API key, each from the node's field, else from the environment (`ACCOUNT_ID`, `API_KEY`).
 * A field may be `${NAME}`, which Node-RED replaces by that variable.
 *
 * @throws XrtcError XRTC_CREDENTIALS_MISSING when one is nowhere, or its variable is not set
 */
export function credentialsOf(
  saved: SavedCredentials | undefined,
  environment: Environment,
): Credentials {
  const accountId = valueOf(saved?.accountId, environment["ACCOUNT_ID"], "account id");
  const apiKey = valueOf(saved?.apiKey, environment["API_KEY"], "API key");
  return { accountId, apiKey: new Redacted(apiKey) };
}

function valueOf(field: string | undefined, fallback: string | undefined, what: string): string {
  const variable = unsetVariable(field);
  if (variable !== undefined) {
    throw new XrtcError(
      "XRTC_CREDENTIALS_MISSING",
      `${what}: the environment variable ${printable(variable, 64)} is not set`,
    );
  }
  const value = field?.trim() || fallback?.trim() || "";
  if (value !== "") return value;
  throw new XrtcError("XRTC_CREDENTIALS_MISSING", `${what}: none is given`);
}

/**
 * The account of a server inside Node-RED: as the user set it, else `spare`.
 *
 * @throws XrtcError XRTC_CREDENTIALS_MISSING when only one of the two is set
 */
export function serverCredentialsOf(
  saved: SavedCredentials | undefined,
  spare: () => Credentials,
): Credentials {
  const given = [saved?.accountId, saved?.apiKey].filter((value) => Boolean(value?.trim()));
  return given.length === 0 ? spare() : credentialsOf(saved, {});
}

/** Credentials that nobody else knows, for a server whose clients are found in the same process. */
export const randomCredentials = (randomBytes: (size: number) => Buffer): Credentials => ({
  accountId: newAccountId(randomBytes),
  apiKey: new Redacted(newApiKey(randomBytes)),
});
