/** Kinds of settings that several node types have. */

import * as z from "zod";
import { isPortalId } from "../../../src/index.js";
import { SETTINGS_VERSION } from "../saved-settings.js";

export const PORTAL_RULE = "a portal id is 1 to 32 ASCII letters and digits";
/** Portals that one node may name: as many as the local server's preset has. */
const PORTALS_MAX = 1_000;

export const version = z.literal(SETTINGS_VERSION);
export const name = z.string().default("");
export const text = z.string().trim().default("");

/** Fields of the editor arrive as text, and so do values from the environment. */
export const numeric = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  return trimmed === "" ? undefined : Number(trimmed);
};
export const boolean = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean().default(false),
);

/** One portal id, or nothing. */
export const portal = text.refine((id) => id === "" || isPortalId(id), { error: PORTAL_RULE });

/** The words of a list with commas or spaces between them; each once. */
export const listed = (list: string): string[] => [
  ...new Set(list.split(/[\s,;]+/).filter((id) => id !== "")),
];

/** Portal ids with commas or spaces between them, or none; each once. */
export const portalList = text
  .transform(listed)
  .pipe(z.array(z.string().refine(isPortalId, { error: PORTAL_RULE })).max(PORTALS_MAX));
