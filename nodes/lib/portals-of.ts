/** The portals that a message names; pure. */

import { isPortalId, printable, XrtcError } from "../../src/index.js";
import { listed } from "./settings/fields.js";

type Message = Readonly<Record<string, unknown>>;

/** Where a message may name portals, the first that it has before the others. */
const PLACES = ["portals", "portalid", "topic"] as const;

/**
 * The portal ids of `msg.portals`, else of `msg.portalid`, else of `msg.topic`: one, several in an array, or several as
 * text with commas or spaces between them; each once.
 *
 * @throws XrtcError XRTC_PORTAL_MISSING, XRTC_PORTAL_INVALID
 */
export function portalsOf(message: Message): string[] {
  const place = PLACES.find((name) => isGiven(message[name]));
  if (place === undefined) {
    throw new XrtcError(
      "XRTC_PORTAL_MISSING",
      "no portal: neither msg.portals nor msg.portalid nor msg.topic names one",
    );
  }
  return portalsIn(message[place], `msg.${place}`);
}

/**
 * The portal ids in a value.
 *
 * @param place - where the value stands, for the error message
 * @throws XrtcError XRTC_PORTAL_MISSING, XRTC_PORTAL_INVALID
 */
export function portalsIn(value: unknown, place: string): string[] {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  const ids = entries.flatMap((entry, index) =>
    idsIn(entry, Array.isArray(value) ? `${place}[${index}]` : place),
  );
  if (ids.length === 0) throw new XrtcError("XRTC_PORTAL_MISSING", `${place} names no portal`);
  const wrong = ids.find((id) => !isPortalId(id));
  if (wrong === undefined) return [...new Set(ids)];
  throw new XrtcError(
    "XRTC_PORTAL_INVALID",
    `${place}: "${printable(wrong, 40)}" is not 1 to 32 ASCII letters and digits`,
  );
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

function idsIn(entry: unknown, place: string): string[] {
  // A number is a fine portal id once it is text; anything else that is no text is a mistake.
  if (typeof entry === "number") return [String(entry)];
  if (typeof entry === "string") return listed(entry);
  throw new XrtcError(
    "XRTC_PORTAL_INVALID",
    `${place}: expected text, received ${entry === null ? "null" : typeof entry}`,
  );
}
