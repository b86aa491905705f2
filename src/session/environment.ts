/** Where account, key and URLs come from: an argument, else the environment, else a dotenv file; for each value. */

import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { asError, XrtcError } from "../errors.js";

/** Name of the dotenv file in the working directory that is read when no other is named. */
export const ENV_FILE = "xrtc.env";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The names that the service's own SDK uses. */
export type EnvironmentName = "ACCOUNT_ID" | "API_KEY" | "LOGIN_URL" | "SET_URL" | "GET_URL";

/**
 * Reads a dotenv file.
 *
 * @param path - relative to the working directory; undefined for `xrtc.env`, which need not exist
 * @throws XrtcError `XRTC_OPTIONS` when a file that was named cannot be read
 */
export function readEnvFile(path: string | undefined): Environment {
  try {
    return parseEnv(readFileSync(path ?? ENV_FILE, "utf8"));
  } catch (thrown) {
    const { code } = asError(thrown) as NodeJS.ErrnoException;
    if (path === undefined && code === "ENOENT") return {};
    const file = JSON.stringify(path ?? ENV_FILE);
    throw new XrtcError(
      "XRTC_OPTIONS",
      `The dotenv file ${file} cannot be read (${code ?? "?"}).`,
      {
        cause: thrown,
      },
    );
  }
}

/**
 * The first of argument, environment and file that gives a value. An empty one counts as none: that is what an unset
 * variable of a container or a service unit looks like.
 */
export function firstGiven(
  name: EnvironmentName,
  argument: string | undefined,
  sources: readonly (() => Environment)[],
): string | undefined {
  if (argument !== undefined && argument !== "") return argument;
  for (const source of sources) {
    const value = source()[name]?.trim();
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}
