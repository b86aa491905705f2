/** From an item, or from the news of a gap, to the message that a flow receives; pure. */

import { type Gap, type Item, XrtcError } from "../../src/index.js";
import { parseBase64Text, parseJsonText } from "./received-text.js";

/** The forms in which a payload may be delivered, as the settings name them. */
export const OUTPUT_FORMATS = ["auto", "string", "json", "buffer", "base64", "message"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** What becomes of an item that has not the form that is expected: an error, or a message with its text as it is. */
export const MALFORMED_POLICIES = ["error", "raw"] as const;
export type MalformedPolicy = (typeof MALFORMED_POLICIES)[number];

export interface MessageOptions {
  /**
   * `auto`: the value of what is JSON, else the text; Base64 is never guessed. `string`: the text. `json`: the value.
   * `buffer`: the bytes that stand in it as Base64. `base64`: the same as text, in the standard alphabet, padded, in
   * one line. `message`: the properties of a whole message.
   */
  readonly output: OutputFormat;
  /** @defaultValue "error" */
  readonly malformed?: MalformedPolicy;
  /** The server's clock at this moment in UNIX ms, for `latency`. @defaultValue no `latency` */
  readonly serverNow?: number | undefined;
}

/** What xrtc-in and xrtc-get send: XRTC's own words, and `topic` for nodes that go by it. */
export interface ReceivedMessage {
  /** The portal id, or the topic that a whole message brought along, which may even be no text. */
  topic: string;
  readonly portalid: string;
  payload: unknown;
  /** UNIX milliseconds, UTC, in the server's clock. */
  readonly servertimestamp: number;
  /** Milliseconds from the server's taking the item to now. */
  readonly latency?: number;
  // Node-RED adds its message id, a whole message its own properties.
  [property: string]: unknown;
}

/**
 * A fresh message for an item, which shares nothing with that of another node.
 *
 * @throws XrtcError XRTC_ITEM_MALFORMED when the payload is not what the output expects and `malformed` is `error`
 */
export function messageOf(item: Item, options: MessageOptions): ReceivedMessage {
  const { portalId, serverTimestamp } = item;
  const { output, malformed = "error" } = options;
  const content = contentOf(item.payload, output);
  if (content === undefined && malformed === "error") throw unexpected(portalId, output);
  return {
    topic: portalId,
    payload: undefined,
    ...(content ?? { payload: item.payload }),
    portalid: portalId,
    servertimestamp: serverTimestamp,
    ...latencyOf(serverTimestamp, options.serverNow),
  };
}

/** The message for a Catch node about an item that could not be delivered: where it came from, and its text. */
export const rejectedMessageOf = (item: Item): ReceivedMessage =>
  messageOf(item, { output: "string" });

/** The message about items that are missing, or may be. */
export function gapMessageOf(gap: Gap): Pick<ReceivedMessage, "topic" | "portalid" | "payload"> {
  const { portalId, reason, missing, before, after } = gap;
  return {
    topic: portalId,
    portalid: portalId,
    payload: {
      portalid: portalId,
      reason,
      ...(missing === undefined ? {} : { missing }),
      ...(before === undefined ? {} : { before: placeOf(before) }),
      ...(after === undefined ? {} : { after: placeOf(after) }),
    },
  };
}

const placeOf = ({ serverTimestamp, seq }: NonNullable<Gap["before"]>): object => ({
  servertimestamp: serverTimestamp,
  ...(seq === undefined ? {} : { seq }),
});

/** The clocks were compared over a network: less than nothing is an error of that measurement. */
const latencyOf = (
  serverTimestamp: number,
  serverNow: number | undefined,
): Pick<ReceivedMessage, "latency"> =>
  serverNow === undefined ? {} : { latency: Math.max(0, Math.round(serverNow - serverTimestamp)) };

type Content = Readonly<Record<string, unknown>>;

/** What a text brings into the message, or undefined when it is not what the output expects. */
function contentOf(text: string, output: OutputFormat): Content | undefined {
  switch (output) {
    case "string":
      return { payload: text };
    case "auto": {
      const parsed = parseJsonText(text);
      return { payload: parsed === undefined ? text : parsed.value };
    }
    case "json": {
      const parsed = parseJsonText(text);
      return parsed && { payload: parsed.value };
    }
    case "buffer": {
      const bytes = parseBase64Text(text);
      return bytes && { payload: bytes };
    }
    case "base64": {
      const bytes = parseBase64Text(text);
      return bytes && { payload: bytes.toString("base64") };
    }
    case "message":
      return wholeMessage(text);
    default:
      return output satisfies never;
  }
}

/**
 * What no item may bring along: Node-RED's own names for a message and for the connections and links that an answer
 * takes, which would lead somewhere else here; and what this message says of the item itself.
 */
const RESERVED_PROPERTIES: ReadonlySet<string> = new Set(
  "req res _msgid _session _linkSource _event portalid servertimestamp latency".split(" "),
);
/** The one member of an object that stands for a Buffer. */
const BUFFER_KEY = "$buffer";

function wholeMessage(text: string): Content | undefined {
  const value = parseJsonText(text)?.value;
  if (!isObject(value)) return undefined;
  const content: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(value)) {
    if (RESERVED_PROPERTIES.has(name)) continue;
    if (!isBuffer(property)) content[name] = property;
    else {
      const base64 = property[BUFFER_KEY];
      const bytes = typeof base64 === "string" ? parseBase64Text(base64) : undefined;
      if (bytes === undefined) return undefined;
      content[name] = bytes;
    }
  }
  return content;
}

const isObject = (value: unknown): value is Content =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isBuffer = (value: unknown): value is Content =>
  isObject(value) && Object.hasOwn(value, BUFFER_KEY) && Object.keys(value).length === 1;

const EXPECTED = {
  auto: "text",
  string: "text",
  json: "JSON that can be parsed",
  buffer: "Base64",
  base64: "Base64",
  message: "a whole message",
} as const satisfies Record<OutputFormat, string>;

// The payload itself stays out of the error: it may be private.
const unexpected = (portalId: string, output: OutputFormat): XrtcError =>
  new XrtcError(
    "XRTC_ITEM_MALFORMED",
    `portal ${portalId}: an item's payload is not ${EXPECTED[output]}, as the node's output expects`,
    { portalId },
  );
