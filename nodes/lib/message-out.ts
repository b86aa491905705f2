/** From a flow's message to the items that it sets, and what became of them in it; pure. */

import { isPortalId, type NewItem, printable, type SetResult, XrtcError } from "../../src/index.js";
import { encodedText, type Format, typeOf } from "./encoding.js";

type Message = Readonly<Record<string, unknown>>;

/** A portal, and where it stands, as errors name it. */
export interface PlacedPortal {
  readonly value: unknown;
  readonly place: string;
}

/**
 * The items that a message sets: those of the array `msg.items`, or the one of `msg.payload`.
 * A portal named in an item of the array goes before that of the node, and a message's own `portalid` and `topic` are
 * asked only when the node names none.
 *
 * @param nodePortal - what the node's setting came to for this message; undefined when it is blank
 * @throws XrtcError XRTC_PORTAL_MISSING, XRTC_PORTAL_INVALID, XRTC_PAYLOAD_INVALID
 */
export function itemsOf(
  message: Message,
  nodePortal: PlacedPortal | undefined,
  format: Format,
): NewItem[] {
  const { items } = message;
  if (!Array.isArray(items)) {
    const portalId = portalIdOf(portalOf(message, nodePortal));
    return [{ portalId, payload: encodedText(message, format) }];
  }
  if (items.length === 0) throw new XrtcError("XRTC_PAYLOAD_INVALID", "msg.items is empty");
  return items.map((entry: unknown, index) => {
    const place = `msg.items[${index}]`;
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
      throw new XrtcError(
        "XRTC_PAYLOAD_INVALID",
        `${place}: expected an object with portalid and payload`,
      );
    }
    const { portalid } = entry as Message;
    const portal = isGiven(portalid)
      ? { value: portalid, place: `${place}.portalid` }
      : portalOf(message, nodePortal);
    return { portalId: portalIdOf(portal), payload: encodedText(entry as Message, format, place) };
  });
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

function portalOf(message: Message, nodePortal: PlacedPortal | undefined): PlacedPortal {
  if (nodePortal !== undefined) {
    if (isGiven(nodePortal.value)) return nodePortal;
    throw new XrtcError("XRTC_PORTAL_MISSING", `no portal: ${nodePortal.place} holds none`);
  }
  if (isGiven(message["portalid"])) return { value: message["portalid"], place: "msg.portalid" };
  if (isGiven(message["topic"])) return { value: message["topic"], place: "msg.topic" };
  throw new XrtcError(
    "XRTC_PORTAL_MISSING",
    "no portal: neither the node nor msg.portalid nor msg.topic names one",
  );
}

function portalIdOf({ value, place }: PlacedPortal): string {
  // A number is a fine portal id once it is text; anything else that is no text is a mistake.
  const portalId = typeof value === "number" ? String(value) : value;
  if (typeof portalId !== "string") {
    throw new XrtcError(
      "XRTC_PORTAL_INVALID",
      `${place}: expected text, received ${typeOf(portalId)}`,
    );
  }
  if (isPortalId(portalId)) return portalId;
  throw new XrtcError(
    "XRTC_PORTAL_INVALID",
    `${place}: "${printable(portalId, 40)}" is not 1 to 32 ASCII letters and digits`,
  );
}

/** Puts into a message what became of it, before a Complete node or the next one sees it. */
export function noteResult(message: object, result: SetResult): void {
  const { serverTimestamp, attempts, duplicatePossible } = result;
  const said = message as Record<string, unknown>;
  said["servertimestamp"] = serverTimestamp;
  said["attempts"] = attempts;
  // It may have come along from another node.
  if (duplicatePossible) said["duplicatepossible"] = true;
  else delete said["duplicatepossible"];
}
