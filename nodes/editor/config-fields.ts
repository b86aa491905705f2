/** What the open dialog of an xrtc-config holds at this moment. */

import type { TestRequest } from "../contract/admin.js";

/** What the editor shows in place of a password that is stored. */
const STORED = "__PWRD__";

/** The value of a field of the dialog; undefined where there is none. */
export function fieldValue(name: string): string | boolean | undefined {
  // The editor would take a list of this field's own name for a choice of config nodes.
  const field = $(`#node-config-input-${name === "server" ? "serverId" : name}`);
  if (field.length === 0) return undefined;
  if (field.attr("type") === "checkbox") return field.prop("checked") === true;
  const value = String(field.val() ?? "");
  return value === "_ADD_" ? "" : value;
}

export const fieldText = (name: string): string => String(fieldValue(name) ?? "");

/**
 * All fields, by the names that they are saved under; the key only when it was typed anew.
 *
 * @param names - of the node's defaults
 */
export function presentFields(names: readonly string[]): TestRequest {
  const fields = names.map((name) => [name, fieldValue(name)] as const);
  const given = fields.filter(([, value]) => value !== undefined);
  const apiKey = fieldText("apiKey");
  return {
    ...(Object.fromEntries(given) as Record<string, string | boolean>),
    accountId: fieldText("accountId"),
    ...(apiKey === STORED || apiKey === "" ? {} : { apiKey }),
  };
}
