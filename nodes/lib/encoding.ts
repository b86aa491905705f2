/** From what a message holds to the text that travels; pure. */

import { printable, XrtcError } from "../../src/index.js";

/**
 * `auto`: a string as it is, binary as Base64, anything else as JSON. `string`: text, from binary as UTF-8. `json`:
 * JSON of anything but binary. `base64`: of binary and of nothing else. `message`: the whole message.
 */
export const ENCODINGS = ["auto", "string", "json", "base64", "message"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface Format {
  readonly encoding: Encoding;
  /** Names of the properties that travel with a whole message, besides topic and payload. */
  readonly properties: readonly string[];
}

type Source = Readonly<Record<string, unknown>>;

/**
 * The text for a message, or for an entry of msg.items.
 *
 * @param place - what errors call it: `msg`, `msg.items[0]`
 * @throws XrtcError XRTC_PAYLOAD_INVALID when the encoding cannot express it
 */
export function encodedText(
  source: Source,
  { encoding, properties }: Format,
  place = "msg",
): string {
  if (encoding === "message") return wholeText(source, properties, place);
  const { payload } = source;
  const where = `${place}.payload`;
  switch (encoding) {
    case "auto":
      return payloadText(payload, where);
    case "string":
      return plainText(payload, where);
    case "json":
      if (bytesOf(payload) === undefined) return jsonText(payload, where);
      throw invalid(where, "binary has no form in JSON: choose Base64");
    case "base64": {
      const bytes = bytesOf(payload);
      if (bytes !== undefined) return bytes.toString("base64");
      throw invalid(where, `expected a Buffer, received ${typeOf(payload)}`);
    }
    default:
      return encoding satisfies never;
  }
}

/**
 * A payload as the text that travels: a string as it is, binary as Base64, anything else as JSON.
 *
 * @param place - where the payload stands, for the error message
 * @throws XrtcError XRTC_PAYLOAD_INVALID when JSON cannot express it
 */
export function payloadText(payload: unknown, place = "msg.payload"): string {
  if (typeof payload === "string") return payload;
  return bytesOf(payload)?.toString("base64") ?? jsonText(payload, place);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function plainText(payload: unknown, place: string): string {
  if (typeof payload === "string") return payload;
  const bytes = bytesOf(payload);
  // What JSON cannot express has a fine form as text, if it is a number.
  if (bytes === undefined) {
    const isPlain = typeof payload === "number" || typeof payload === "bigint";
    return isPlain ? String(payload) : jsonText(payload, place);
  }
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalid(place, "is no UTF-8 text: choose Base64", cause);
  }
}

/** One JSON object of the chosen properties, as far as the message has them. Binary among them is `{"$buffer"}`. */
function wholeText(source: Source, properties: readonly string[], place: string): string {
  const whole: Record<string, unknown> = {};
  for (const name of new Set(["topic", "payload", ...properties])) {
    if (!Object.hasOwn(source, name)) continue;
    const value = source[name];
    // As JSON itself does with the members of an object.
    if (value === undefined || typeof value === "function") continue;
    const bytes = bytesOf(value);
    const inJson = bytes === undefined ? value : { $buffer: bytes.toString("base64") };
    refuseUnspeakable(inJson, `${place}.${name}`);
    whole[name] = inJson;
  }
  if (Object.keys(whole).length === 0) {
    throw invalid(place, "has neither topic nor payload nor another property that is to be sent");
  }
  return jsonText(whole, place);
}

/** @throws XrtcError for what JSON passes over, or makes null, without a word */
function refuseUnspeakable(value: unknown, place: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw invalid(place, `${value} has no form in JSON`);
  }
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw invalid(place, `${typeOf(value)} has no form in JSON`);
  }
}

function jsonText(value: unknown, place: string): string {
  refuseUnspeakable(value, place);
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw invalid(place, reasonOf(cause), cause);
  }
  // An object may say of itself that it has none.
  if (json === undefined) throw invalid(place, `${typeOf(value)} has no form in JSON`);
  return json;
}

function bytesOf(value: unknown): Buffer | undefined {
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? Buffer.from(value) : undefined;
}

const invalid = (place: string, reason: string, cause?: unknown): XrtcError =>
  new XrtcError("XRTC_PAYLOAD_INVALID", `${place}: ${reason}`, { cause });

// The first line only: for a circular structure the engine adds a drawing of the object, names of members and all.
const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? printable(cause.message.split("\n")[0] ?? "", 120) : "has no JSON form";

/** A value's type as an error names it. */
export const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
