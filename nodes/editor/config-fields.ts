/** What the open dialog of an xrtc-config holds at this moment. */

import type { TestRequest } from "../contract/admin.js";
import { fieldValue } from "./open-dialog.js";

/** What the editor shows in place of a password that is stored. */
const STORED = "__PWRD__";

/** The value of a setting in the dialog; undefined where there is no field for it. */
export function settingValue(name: string): string | boolean | undefined {
  // The editor would take a list of this setting's own name for a choice of config nodes.
  const value = fieldValue(`#node-config-input-${name === "server" ? "serverId" : name}`);
  return value === "_ADD_" ? "" : value;
}

export const settingText = (name: string): string => String(settingValue(name) ?? "");

/**
 * All fields, by the names that they are saved under; the key only when it was typed anew.
 *
 * @param names - of the node's defaults
 */
export function presentFields(names: readonly string[]): TestRequest {
  const fields = names.map((name) => [name, settingValue(name)] as const);
  const given = fields.filter(([, value]) => value !== undefined);
  const apiKey = settingText("apiKey");
  return {
    ...(Object.fromEntries(given) as Record<string, string | boolean>),
    accountId: settingText("accountId"),
    ...(apiKey === STORED || apiKey === "" ? {} : { apiKey }),
  };
}
