/** From a flow's message to the items that it sets; pure. */

import { isPortalId, type NewItem, printable, XrtcError } from "../../src/index.js";

type Message = Readonly<Record<string, unknown>>;

/**
 * The items that a message sets: those of the array `msg.items`, or the one of `msg.payload`.
 * A portal named in an item of the array goes before that of the node, the node's before `msg.portalid`,
 * and that before `msg.topic`.
 *
 * @param nodePortal - the portal that the node names, blank for none
 * @throws XrtcError XRTC_PORTAL_MISSING, XRTC_PORTAL_INVALID, XRTC_PAYLOAD_INVALID
 */
export function itemsOf(message: Message, nodePortal: string): NewItem[] {
  const { items } = message;
  if (!Array.isArray(items)) {
    return [itemOf(portalOf(message, nodePortal), message["payload"], "msg.payload")];
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
    const { portalid, payload } = entry as Message;
    const portal = isGiven(portalid)
      ? { value: portalid, place: `${place}.portalid` }
      : portalOf(message, nodePortal);
    return itemOf(portal, payload, `${place}.payload`);
  });
}

interface Placed {
  readonly value: unknown;
  readonly place: string;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

function portalOf(message: Message, nodePortal: string): Placed {
  if (nodePortal !== "") return { value: nodePortal, place: "the node's portal" };
  if (isGiven(message["portalid"])) return { value: message["portalid"], place: "msg.portalid" };
  if (isGiven(message["topic"])) return { value: message["topic"], place: "msg.topic" };
  throw new XrtcError(
    "XRTC_PORTAL_MISSING",
    "no portal: neither the node nor msg.portalid nor msg.topic names one",
  );
}

function itemOf(portal: Placed, payload: unknown, payloadPlace: string): NewItem {
  // A number is a fine portal id once it is text; anything else that is no text is a mistake.
  const portalId = typeof portal.value === "number" ? String(portal.value) : portal.value;
  if (typeof portalId !== "string") {
    throw new XrtcError(
      "XRTC_PORTAL_INVALID",
      `${portal.place}: expected text, received ${typeOf(portalId)}`,
    );
  }
  if (!isPortalId(portalId)) {
    throw new XrtcError(
      "XRTC_PORTAL_INVALID",
      `${portal.place}: "${printable(portalId, 40)}" is not 1 to 32 ASCII letters and digits`,
    );
  }
  return { portalId, payload: payloadText(payload, payloadPlace) };
}

/**
 * A payload as the text that travels: a string as it is, binary as Base64, anything else as JSON.
 *
 * @param place - where the payload stands, for the error message
 * @throws XrtcError XRTC_PAYLOAD_INVALID when JSON cannot express it
 */
export function payloadText(payload: unknown, place = "msg.payload"): string {
  if (typeof payload === "string") return payload;
  const bytes = bytesOf(payload);
  if (bytes !== undefined) return bytes.toString("base64");
  if (typeof payload === "number" && !Number.isFinite(payload)) {
    // JSON would make it null, which is another value.
    throw invalid(place, `${payload} has no form in JSON`);
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(payload);
  } catch (cause) {
    throw invalid(place, reasonOf(cause), cause);
  }
  if (json === undefined) throw invalid(place, `${typeOf(payload)} has no form in JSON`);
  return json;
}

function bytesOf(payload: unknown): Buffer | undefined {
  if (Buffer.isBuffer(payload)) return payload;
  if (ArrayBuffer.isView(payload)) {
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }
  return payload instanceof ArrayBuffer ? Buffer.from(payload) : undefined;
}

const invalid = (place: string, reason: string, cause?: unknown): XrtcError =>
  new XrtcError("XRTC_PAYLOAD_INVALID", `${place}: ${reason}`, { cause });

// The first line only: for a circular structure the engine adds a drawing of the object, names of members and all.
const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? printable(cause.message.split("\n")[0] ?? "", 120) : "has no JSON form";

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
