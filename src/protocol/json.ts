import { JSON_DEPTH_MAX } from "./limits.js";

/** A document that is not JSON, is nested too deeply, or is not text. */
export class JsonRefusedError extends Error {
  override readonly name = "JsonRefusedError";
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (code: number): boolean => code === 0x7b || code === 0x5b;
const isClosing = (code: number): boolean => code === 0x7d || code === 0x5d;

/**
 * Whether brackets nest deeper than `depthMax`, found before anything is parsed: a parser recurses, and a million
 * brackets would cost more than the whole of the rest.
 */
export function isNestedDeeper(text: string, depthMax: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at + 1);
    else if (isOpening(code)) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (isClosing(code)) depth -= 1;
  }
  return false;
}

/** Where the string whose first character is at `from` has its closing quote; the end of the text if nowhere. */
function stringEnd(text: string, from: number): number {
  // A payload is most of the text, and the engine's search passes over it many characters at a time.
  const quote = text.indexOf('"', from);
  if (quote === -1) return text.length;
  if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/**
 * Decodes one JSON document. A byte order mark before it is passed over.
 *
 * @throws JsonRefusedError when it is not valid UTF-8, not JSON, or nested deeper than `depthMax`
 */
export function parseJson(bytes: Uint8Array, depthMax = JSON_DEPTH_MAX): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new JsonRefusedError("the bytes are not valid UTF-8", { cause });
  }
  if (isNestedDeeper(text, depthMax)) {
    throw new JsonRefusedError(`JSON is nested deeper than ${depthMax} levels`);
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
