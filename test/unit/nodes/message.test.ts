import assert from "node:assert/strict";
import * as fc from "fast-check";
import { payloadText } from "../../../nodes/lib/encoding.js";
import { messageOf, type OutputFormat } from "../../../nodes/lib/message-in.js";
import { itemsOf as itemsFrom } from "../../../nodes/lib/message-out.js";
import { PAYLOAD_DEPTH_MAX } from "../../../nodes/lib/received-text.js";
import type { XrtcErrorCode } from "../../../src/errors.js";
import { isXrtcError } from "../../../src/errors.js";

const refused = (code: XrtcErrorCode, pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, code) && pattern.test(error.message);

const received = (payload: string, output: OutputFormat): unknown =>
  messageOf({ portalId: "hall", payload, serverTimestamp: 1 }, { output }).payload;

/** @param node - the portal that the node names, blank for none */
const itemsOf = (message: Readonly<Record<string, unknown>>, node: string) =>
  itemsFrom(message, node === "" ? undefined : { value: node, place: "the node's portal" }, {
    encoding: "auto",
    properties: [],
  });

const portal = (message: object, node: string): unknown =>
  itemsOf({ ...message }, node)[0]?.portalId;

const send = (items: unknown) => () => itemsOf({ items }, "hall");

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("a message that is set", () => {
  it("goes to the node's portal, else to msg.portalid, else to msg.topic", () => {
    const message = { payload: "x", portalid: "fromId", topic: "fromTopic" };
    assert.equal(portal(message, "fromNode"), "fromNode");
    assert.equal(portal(message, ""), "fromId");
    assert.equal(portal({ ...message, portalid: "" }, ""), "fromTopic");
    assert.equal(portal({ payload: "x", portalid: 7 }, ""), "7");
  });

  it("is refused when nothing names a portal, or what does is none", () => {
    assert.throws(() => itemsOf({ payload: "x" }, ""), refused("XRTC_PORTAL_MISSING", /no portal/));
    assert.throws(
      () => itemsOf({ payload: "x", topic: "home/hall" }, ""),
      refused("XRTC_PORTAL_INVALID", /msg\.topic: "home\/hall"/),
    );
    assert.throws(
      () => itemsOf({ payload: "x", portalid: { a: 1 } }, ""),
      refused("XRTC_PORTAL_INVALID", /msg\.portalid: expected text, received object/),
    );
    assert.throws(
      () => itemsOf({ payload: "x", topic: "a".repeat(33) }, ""),
      refused("XRTC_PORTAL_INVALID", /msg\.topic/),
    );
  });

  it("sets every item of the array msg.items, each in its own portal or in that of the message", () => {
    const items = [{ portalid: "hall", payload: "a" }, { payload: { b: 1 } }];
    assert.deepEqual(itemsOf({ items, payload: "unused", topic: "attic" }, ""), [
      { portalId: "hall", payload: "a" },
      { portalId: "attic", payload: '{"b":1}' },
    ]);
  });

  it("is refused whole when one item of msg.items is wrong, and says which", () => {
    assert.throws(send([]), refused("XRTC_PAYLOAD_INVALID", /msg\.items is empty/));
    assert.throws(send(["a"]), refused("XRTC_PAYLOAD_INVALID", /msg\.items\[0\]/));
    assert.throws(
      send([{ payload: 1 }, { portalid: "b!", payload: 1 }]),
      refused("XRTC_PORTAL_INVALID", /msg\.items\[1\]\.portalid/),
    );
    assert.throws(
      send([{ portalid: "b" }]),
      refused("XRTC_PAYLOAD_INVALID", /msg\.items\[0\]\.payload: undefined has no form/),
    );
  });

  it("says what is wrong with a payload that JSON cannot express", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const cases: [unknown, RegExp][] = [
      [undefined, /undefined has no form in JSON/],
      [() => 1, /function has no form/],
      [Symbol("s"), /symbol has no form/],
      [NaN, /NaN has no form/],
      [Infinity, /Infinity has no form/],
      [10n, /BigInt/],
      [{ deep: { big: 10n } }, /BigInt/],
      [circular, /circular/i],
    ];
    for (const [payload, pattern] of cases) {
      assert.throws(() => payloadText(payload), refused("XRTC_PAYLOAD_INVALID", pattern));
    }
  });

  it("keeps the drawing of a circular structure out of the error", () => {
    const circular: Record<string, unknown> = { secretName: {} };
    (circular["secretName"] as Record<string, unknown>)["back"] = circular;
    assert.throws(
      () => payloadText(circular),
      refused("XRTC_PAYLOAD_INVALID", /^(?!.*secretName)/),
    );
  });

  it("carries null, false, 0, an empty string and a Date as what they are", () => {
    assert.equal(payloadText(null), "null");
    assert.equal(payloadText(false), "false");
    assert.equal(payloadText(0), "0");
    assert.equal(payloadText(""), "");
    assert.equal(payloadText(new Date(0)), '"1970-01-01T00:00:00.000Z"');
  });

  it("carries every kind of binary as Base64", () => {
    const bytes = [1, 2, 250];
    assert.equal(payloadText(Buffer.from(bytes)), "AQL6");
    assert.equal(payloadText(Uint8Array.from(bytes)), "AQL6");
    assert.equal(payloadText(Uint8Array.from([0, ...bytes]).subarray(1)), "AQL6");
    assert.equal(payloadText(Uint8Array.from(bytes).buffer), "AQL6");
  });
});

describe("a message that is received", () => {
  it("names portal and time in XRTC's words, and is a fresh one each time", () => {
    const item = { portalId: "hall", payload: '{"a":[1]}', serverTimestamp: 5 };
    const one = messageOf(item, { output: "auto" });
    const other = messageOf(item, { output: "auto" });
    assert.deepEqual(one, {
      topic: "hall",
      portalid: "hall",
      payload: { a: [1] },
      servertimestamp: 5,
    });
    assert.notEqual(one.payload, other.payload);
  });

  it("with output auto parses what is JSON and never guesses Base64", () => {
    assert.equal(received("12.5", "auto"), 12.5);
    assert.equal(received("null", "auto"), null);
    assert.equal(received("{broken", "auto"), "{broken");
    assert.equal(received("AQL6", "auto"), "AQL6");
    assert.equal(received("", "auto"), "");
    assert.equal(received("12", "string"), "12");
  });

  it("with output json or buffer refuses an item that is neither, without quoting it", () => {
    const unfit = refused("XRTC_ITEM_MALFORMED", /^(?!.*private)portal hall/);
    assert.throws(() => received("private words", "json"), unfit);
    assert.throws(() => received("private words!", "buffer"), unfit);
    assert.throws(() => received("AAAAA", "buffer"), unfit);
    assert.throws(() => received("AA=A", "buffer"), unfit);
  });

  it("reads both alphabets of Base64, padded or not, in one line or several", () => {
    const bytes = Buffer.from([251, 255, 190, 1]);
    for (const text of ["+/++AQ==", "-_--AQ==", "-_--AQ", "+/++\r\nAQ=="]) {
      assert.deepEqual(received(text, "buffer"), bytes);
    }
  });

  it("leaves members out that would reach a prototype, however they are spelt", () => {
    const spellings = ["__proto__", "\\u005f_proto__", "constructor", "prototype"];
    for (const name of spellings) {
      const parsed = received(`{"a":[{"${name}":{"bad":1},"good":2}]}`, "auto");
      assert.deepEqual(parsed, { a: [{ good: 2 }] }, name);
      assert.equal(({} as { bad?: unknown }).bad, undefined);
    }
    assert.equal(received('"about __proto__"', "auto"), "about __proto__");
  });

  it("leaves JSON that is nested too deeply as text, or refuses it", () => {
    assert.notEqual(typeof received(nested(PAYLOAD_DEPTH_MAX), "auto"), "string");
    assert.equal(typeof received(nested(PAYLOAD_DEPTH_MAX + 1), "auto"), "string");
    assert.equal(typeof received(nested(5_000), "auto"), "string");
    assert.throws(() => received(nested(5_000), "json"), refused("XRTC_ITEM_MALFORMED", /JSON/));
    const brackets = JSON.stringify({ text: '[{"\\'.repeat(500) });
    assert.deepEqual(received(brackets, "auto"), { text: '[{"\\'.repeat(500) });
  });
});

describe("a payload that is set and received again", () => {
  it("is the same text with output string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.equal(received(payloadText(text), "string"), text);
      }),
    );
  });

  it("is the same value with output json and auto, when it is no string", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(typeof value !== "string" && !mentionsForbidden(value));
        const expected: unknown = JSON.parse(JSON.stringify(value));
        assert.deepEqual(received(payloadText(value), "json"), expected);
        assert.deepEqual(received(payloadText(value), "auto"), expected);
      }),
    );
  });

  it("is the same bytes with output buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const buffer = Buffer.from(bytes);
        assert.deepEqual(received(payloadText(buffer), "buffer"), buffer);
      }),
    );
  });

  it("never brings forth an object with a forbidden member, whatever the text", () => {
    const key = fc.constantFrom("__proto__", "constructor", "prototype", "a", "b");
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        fc.integer(),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie("tree")), { maxLength: 3 }).map((entries) => ({ entries })),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        assert.ok(!mentionsForbidden(received(textWithEntries(value), "auto")));
      }),
    );
  });
});

/** JSON text of a tree in which `entries` stand for the members of an object, forbidden ones too. */
function textWithEntries(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textWithEntries).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const { entries } = value as { entries: [string, unknown][] };
  return `{${entries.map(([key, member]) => `"${key}":${textWithEntries(member)}`).join(",")}}`;
}

function mentionsForbidden(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const forbidden = ["__proto__", "constructor", "prototype"];
  return Object.entries(value).some(
    ([key, member]) => forbidden.includes(key) || mentionsForbidden(member),
  );
}
