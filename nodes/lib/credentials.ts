/** Which credentials a node uses; pure. */

import { printable, Redacted, XrtcError } from "../../src/index.js";
import { newAccountId, newApiKey } from "../../src/server/index.js";
import { unsetVariable } from "./saved-settings.js";

/** Credentials as Node-RED keeps them: encrypted on disk, never in an exported flow. */
export interface SavedCredentials {
  accountId?: string;
  apiKey?: string;
}

export interface Credentials {
  readonly accountId: string;
  readonly apiKey: Redacted;
}

type Environment = Readonly<Record<string, string | undefined>>;

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
