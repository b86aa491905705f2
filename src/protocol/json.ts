import { JSON_DEPTH_MAX } from "./limits.js";

/** A document that is not JSON, is nested too deeply, or is not text. */
export class JsonRefusedError extends Error {
  override readonly name = "JsonRefusedError";
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d;

/**
 * Whether brackets nest deeper than `depthMax`, found before anything is parsed: a parser recurses, and a million
 * brackets would cost more than the whole of the rest.
 */
export function isNestedDeeper(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (isOpening(byte)) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (isClosing(byte)) depth -= 1;
  }
  return false;
}

/**
 * Decodes one JSON document. A byte order mark before it is passed over.
 *
 * @throws JsonRefusedError when it is not valid UTF-8, not JSON, or nested deeper than `depthMax`
 */
export function parseJson(bytes: Uint8Array, depthMax = JSON_DEPTH_MAX): unknown {
  if (isNestedDeeper(bytes, depthMax)) {
    throw new JsonRefusedError(`JSON is nested deeper than ${depthMax} levels`);
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new JsonRefusedError("the bytes are not valid UTF-8", { cause });
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and the text may hold a payload.
    throw new JsonRefusedError("the text is not valid JSON");
  }
}

/** The document as an object with members, or undefined. */
export const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
