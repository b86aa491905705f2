/** The rules of the settings as the dialogs apply them; those that the runtime has, too, are the runtime's own. */

import { isPortalId } from "../../src/protocol/item.js";

/** The ids in a list with commas or spaces between them. */
export const portalIds = (list: string): string[] =>
  list.split(/[\s,;]+/).filter((id) => id !== "");

/** Whether a field is nothing but a reference to an environment variable, which only the runtime can look up. */
export const isVariable = (field: string | number | undefined): boolean =>
  /^\$(?:\{[^\s}]+\}|\([^\s)]+\))$/.test(String(field ?? "").trim());

export const isBlankOrPortalId = (text: string | undefined): boolean =>
  (text ?? "").trim() === "" || isPortalId((text ?? "").trim());

export const isPortalList = (list: string): boolean => {
  const ids = portalIds(list);
  return ids.length > 0 && ids.every(isPortalId);
};

/** Whether a field holds a whole number from `min` to `max`, or nothing; it may be younger than the saved node. */
export function isBlankOrWhole(
  field: string | number | undefined,
  min: number,
  max: number,
): boolean {
  const text = String(field ?? "").trim();
  if (text === "") return true;
  const value = Number(text);
  return Number.isInteger(value) && value >= min && value <= max;
}

export function isHttpUrl(text: string | undefined): boolean {
  try {
    const { protocol, username, password } = new URL((text ?? "").trim());
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    // The constructor's way to say no.
    return false;
  }
}
