import JSON5 from "json5";
import { isNestedDeeper, JsonRefusedError, parseJson } from "../protocol/json.js";
import { JSON_DEPTH_MAX } from "../protocol/limits.js";
import { WireError } from "./wire-error.js";
import { ERROR_CODES } from "../protocol/error-codes.js";

/**
 * Greatest body in bytes that is read as relaxed JSON. The relaxed parser is 25 times slower than the other, and what
 * needs it was typed by hand, after the lines of the documentation.
 */
export const RELAXED_BYTES_MAX = 4_096;

/**
 * Greatest body in bytes of a call that anybody may make. Nobody's login is longer, and a stranger must not have the
 * server parse what only those who are logged in may send.
 */
export const STRANGERS_BYTES_MAX = 4_096;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * A request's body as a document, whatever its content type says. Keys without quotes are taken, as the service's own
 * curl lines have them.
 *
 * @param group - the group that an error is answered in
 * @param bytesMax - what a longer body is refused for, unread
 * @throws WireError with code 20 when the body cannot be read
 */
export function parseBody(
  body: Uint8Array,
  group: number,
  bytesMax = Number.POSITIVE_INFINITY,
): unknown {
  const code = ERROR_CODES.INPUT_BINARYJSON_PARSE_FAIL;
  if (body.length > bytesMax) {
    const message = `this request has at most ${bytesMax} bytes`;
    throw new WireError(400, { group, code, message });
  }
  try {
    return parseJson(body);
  } catch (error) {
    if (!(error instanceof JsonRefusedError)) throw error;
    const relaxed = parseRelaxed(body);
    if (relaxed !== undefined) return relaxed;
    throw new WireError(400, { group, code, message: error.message });
  }
}

function parseRelaxed(body: Uint8Array): unknown {
  if (body.length > RELAXED_BYTES_MAX) return undefined;
  try {
    const text = utf8.decode(body);
    if (isNestedDeeper(text, JSON_DEPTH_MAX)) return undefined;
    const document = JSON5.parse<unknown>(text);
    // Quotes of the other sort, or a comment, can hide brackets from whoever knows strict JSON only.
    return isDeeper(document, JSON_DEPTH_MAX) ? undefined : document;
  } catch {
    // The strict parser's complaint is answered: this one's message would quote the body.
    return undefined;
  }
}

/** Whether objects and lists nest deeper. Looks no deeper than that itself. */
function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depthMax === 0) return true;
  return Object.values(value).some((member) => isDeeper(member, depthMax - 1));
}
