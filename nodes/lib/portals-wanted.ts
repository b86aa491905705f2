/** Which portals a message asks for; pure. */

import { isPortalId, printable, XrtcError } from "../../src/index.js";

/** Portals that one message may ask for: as many as the local server's preset has. */
const PORTALS_MAX = 1_000;

/** The ids in a text with commas or spaces between them. */
export const splitPortals = (list: string): string[] =>
  list.split(/[\s,;]+/).filter((id) => id !== "");

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** What a message says of portals, for a node that names none: `msg.portals`, else `msg.portalid`, else `msg.topic`. */
export function portalsInMessage(message: Readonly<Record<string, unknown>>): {
  readonly value: unknown;
  readonly place: string;
} {
  const property = ["portals", "portalid", "topic"].find((name) => isGiven(message[name]));
  if (property !== undefined) return { value: message[property], place: `msg.${property}` };
  throw new XrtcError(
    "XRTC_PORTAL_MISSING",
    "no portal: neither the node nor msg.portals, msg.portalid or msg.topic names one",
  );
}

/**
 * Portal ids from a text with commas or spaces between them, or from an array of ids; each once.
 *
 * @param place - where the value stands, for the error
 * @throws XrtcError XRTC_PORTAL_MISSING when there is none, XRTC_PORTAL_INVALID
 */
export function portalIdsOf(value: unknown, place: string): string[] {
  const entries: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "string"
      ? splitPortals(value)
      : isGiven(value)
        ? [value]
        : [];
  if (entries.length === 0) throw new XrtcError("XRTC_PORTAL_MISSING", `${place} names no portal`);
  const ids = [...new Set(entries.map((entry, at) => idOf(entry, entryPlace(value, place, at))))];
  if (ids.length <= PORTALS_MAX) return ids;
  throw new XrtcError(
    "XRTC_PORTAL_INVALID",
    `${place}: ${ids.length} portals; at most ${PORTALS_MAX} can be asked for at a time`,
  );
}

const entryPlace = (value: unknown, place: string, at: number): string =>
  Array.isArray(value) ? `${place}[${at}]` : place;

function idOf(entry: unknown, place: string): string {
  // A number is a fine portal id once it is text; anything else that is no text is a mistake.
  const id = typeof entry === "number" ? String(entry) : entry;
  if (typeof id !== "string") {
    const kind = id === null ? "null" : Array.isArray(id) ? "an array" : typeof id;
    throw new XrtcError("XRTC_PORTAL_INVALID", `${place}: expected text, received ${kind}`);
  }
  if (isPortalId(id)) return id;
  throw new XrtcError(
    "XRTC_PORTAL_INVALID",
    `${place}: "${printable(id, 40)}" is not 1 to 32 ASCII letters and digits`,
  );
}
