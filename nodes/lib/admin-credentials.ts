/** Which credentials a test of a connection may use; pure. */

import { isAccountId } from "../../src/index.js";
import { Refusal } from "./admin-reply.js";
import type { WantedTest } from "./admin-request.js";
import type { SavedCredentials } from "./credentials.js";
import { unsetVariable } from "./saved-settings.js";
import type { ConfigSettings } from "./settings/config.js";
import { urlsOf } from "./target.js";

/** A config node as it is deployed. */
export interface Deployed {
  readonly settings: ConfigSettings;
  readonly saved: SavedCredentials | undefined;
}

/**
 * What was typed anew goes wherever the dialog says. What Node-RED keeps (a stored key, one in its environment or in a
 * file) goes only where the deployed node sends it, over the same way: otherwise whoever may open a dialog could have
 * it sent to himself.
 *
 * @returns what stands for the fields of the node
 * @throws Refusal that says what to do instead
 */
export function testCredentials(
  { settings, typed }: WantedTest,
  deployed: Deployed | undefined,
): SavedCredentials | undefined {
  // Account and key of a server in this Node-RED are its own.
  if (settings.service === "local") return undefined;
  if (settings.credentialsFrom === "fields" && typed.apiKey !== "") {
    for (const value of [typed.apiKey, typed.accountId]) {
      if (unsetVariable(value) !== undefined) throw notYet();
    }
    return typed;
  }
  if (deployed === undefined || placeOf(deployed.settings) !== placeOf(settings)) {
    throw elsewhere(settings);
  }
  if (settings.credentialsFrom !== "fields") return undefined;
  const { saved } = deployed;
  return isAccountId(typed.accountId) ? { ...saved, accountId: typed.accountId } : saved;
}

/** Where a configuration sends its key, and which way; undefined for a server of the same Node-RED. */
function placeOf(settings: ConfigSettings): string | undefined {
  if (settings.service === "local") return undefined;
  const { tls, proxy, allowInsecure } = settings;
  return JSON.stringify([urlsOf(settings), tls, proxy, allowInsecure]);
}

const notYet = (): Refusal =>
  new Refusal("Account or key name an environment variable, which is looked up by a deploy.", {
    code: "XRTC_CREDENTIALS_MISSING",
    remedy: "Deploy, then test again.",
  });

function elsewhere({ credentialsFrom }: ConfigSettings): Refusal {
  const [what, remedy] =
    credentialsFrom === "fields"
      ? ["The stored API key", "Type the API key again, or deploy, then test."]
      : ["The API key that Node-RED finds", "Deploy, then test again."];
  const message = `${what} is sent only to the address that is deployed, over the TLS and proxy that are deployed; these differ.`;
  return new Refusal(message, { code: "XRTC_CREDENTIALS_MISSING", remedy });
}
