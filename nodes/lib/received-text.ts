/** What the text of an item stands for, read as JSON or as Base64; pure. */

/** Depth of nesting up to which a payload is parsed. */
export const PAYLOAD_DEPTH_MAX = 64;

// Members of these names reach an object's prototype when somebody merges or copies it carelessly.
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
// A backslash may hide one of them behind an escape.
const MAY_HOLD_FORBIDDEN_KEY = /__proto__|constructor|prototype|\\u/i;

/** The JSON value of a text without forbidden members, or undefined when it is none or is nested too deeply. */
export function parseJsonText(text: string): { readonly value: unknown } | undefined {
  if (isNestedDeeper(text, PAYLOAD_DEPTH_MAX)) return undefined;
  try {
    const value: unknown = MAY_HOLD_FORBIDDEN_KEY.test(text)
      ? JSON.parse(text, (key, member: unknown) => (FORBIDDEN_KEYS.has(key) ? undefined : member))
      : JSON.parse(text);
    return { value };
  } catch {
    // Any text may be a payload: that it is no JSON is an answer, not a failure.
    return undefined;
  }
}

/** Looks before the parser does, which would build the whole value first. */
function isNestedDeeper(text: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (character === "}" || character === "]") depth -= 1;
  }
  return false;
}

// Standard and URL-safe alphabets, with or without padding. Node's own decoder skips what it does not know.
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The bytes of a text in Base64, in a Buffer of its own, or undefined when it is none. */
export function parseBase64Text(text: string): Buffer | undefined {
  // Some encoders break lines.
  const compact = text.replace(/\s+/g, "");
  if (!BASE64.test(compact)) return undefined;
  const digits = compact.replace(/=+$/, "").length;
  if (digits % 4 === 1) return undefined;
  if (compact.length !== digits && compact.length % 4 !== 0) return undefined;
  return Buffer.from(compact, "base64");
}
