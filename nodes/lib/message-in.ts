/** From an item to the message that a flow receives; pure. */

import { type Item, XrtcError } from "../../src/index.js";
import type { InSettings } from "./settings/in.js";

export type OutputFormat = InSettings["output"];

/** What xrtc-in sends: XRTC's own words, and `topic` for nodes that go by it. */
export interface ReceivedMessage {
  /** The portal id. */
  readonly topic: string;
  readonly portalid: string;
  readonly payload: unknown;
  /** UNIX milliseconds, UTC, in the server's clock. */
  readonly servertimestamp: number;
  // Node-RED adds its message id.
  [property: string]: unknown;
}

/** Depth of nesting up to which a payload is parsed. */
export const PAYLOAD_DEPTH_MAX = 64;

/**
 * A fresh message for an item, which shares nothing with that of another node.
 *
 * @throws XrtcError XRTC_ITEM_MALFORMED when the payload is not what `json` or `buffer` expects
 */
export function messageOf(item: Item, output: OutputFormat): ReceivedMessage {
  return {
    topic: item.portalId,
    portalid: item.portalId,
    payload: payloadOf(item, output),
    servertimestamp: item.serverTimestamp,
  };
}

function payloadOf({ payload, portalId }: Item, output: OutputFormat): unknown {
  switch (output) {
    case "string":
      return payload;
    case "auto": {
      const parsed = parsePayload(payload);
      return parsed === undefined ? payload : parsed.value;
    }
    case "json": {
      const parsed = parsePayload(payload);
      if (parsed === undefined) throw malformed(portalId, "JSON that can be parsed");
      return parsed.value;
    }
    case "buffer": {
      const bytes = parseBase64(payload);
      if (bytes === undefined) throw malformed(portalId, "Base64");
      return bytes;
    }
    default:
      return output satisfies never;
  }
}

// The payload itself stays out of the error: it may be private.
const malformed = (portalId: string, expected: string): XrtcError =>
  new XrtcError(
    "XRTC_ITEM_MALFORMED",
    `portal ${portalId}: an item's payload is not ${expected}, as the node's output expects`,
    { portalId },
  );

// Members of these names reach an object's prototype when somebody merges or copies it carelessly.
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
// A backslash may hide one of them behind an escape.
const MAY_HOLD_FORBIDDEN_KEY = /__proto__|constructor|prototype|\\u/i;

/** The JSON value of a text without forbidden members, or undefined when it is none or is nested too deeply. */
function parsePayload(text: string): { readonly value: unknown } | undefined {
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

function parseBase64(text: string): Buffer | undefined {
  // Some encoders break lines.
  const compact = text.replace(/\s+/g, "");
  if (!BASE64.test(compact)) return undefined;
  const digits = compact.replace(/=+$/, "").length;
  if (digits % 4 === 1) return undefined;
  if (compact.length !== digits && compact.length % 4 !== 0) return undefined;
  return Buffer.from(compact, "base64");
}
