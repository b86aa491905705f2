import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  gapMessageOf,
  messageOf,
  type MessageOptions,
  type OutputFormat,
  rejectedMessageOf,
} from "../../../nodes/lib/message-in.js";
import { isXrtcError } from "../../../src/errors.js";

const itemOf = (payload: string) => ({ portalId: "hall", payload, serverTimestamp: 1_000 });

const received = (payload: string, options: OutputFormat | MessageOptions) =>
  messageOf(itemOf(payload), typeof options === "string" ? { output: options } : options);

const isMalformed = (expected: string) => (error: unknown) =>
  isXrtcError(error, "XRTC_ITEM_MALFORMED") && error.message.includes(expected);

describe("the message for a received item", () => {
  it("holds Base64 in one spelling, whatever the one in the item, with output base64", () => {
    const bytes = Buffer.from([251, 255, 190, 1]);
    for (const text of ["+/++AQ==", "-_--AQ==", "-_--AQ", "+/++\r\nAQ=="]) {
      assert.equal(received(text, "base64").payload, bytes.toString("base64"));
    }
    assert.throws(() => received("no base64!", "base64"), isMalformed("Base64"));
  });

  it("takes every property of a whole message, and Buffers as Buffers", () => {
    const text = JSON.stringify({
      topic: "zigbee/lamp",
      payload: { on: true },
      retain: true,
      picture: { $buffer: "AQL6" },
      notPicture: { $buffer: "AQL6", size: 3 },
    });
    assert.deepEqual(received(text, "message"), {
      topic: "zigbee/lamp",
      payload: { on: true },
      retain: true,
      picture: Buffer.from([1, 2, 250]),
      notPicture: { $buffer: "AQL6", size: 3 },
      portalid: "hall",
      servertimestamp: 1_000,
    });
    const bytes = received('{"payload":{"$buffer":"AQL6"}}', "message");
    assert.deepEqual(bytes.payload, Buffer.from([1, 2, 250]));
    assert.equal(bytes.topic, "hall", "without a topic of its own it has the portal's");
  });

  it("leaves Node-RED's own properties and what the item itself says out of a whole message", () => {
    const text = JSON.stringify({
      payload: 1,
      req: { url: "/" },
      res: {},
      _msgid: "m",
      _session: { id: "s" },
      _linkSource: [{ id: "l" }],
      _event: "e",
      portalid: "other",
      servertimestamp: 5,
      latency: -1,
    });
    const bare = { topic: "hall", payload: 1, portalid: "hall", servertimestamp: 1_000 };
    assert.deepEqual(received(text, "message"), bare);
    assert.equal(received(text, { output: "message", serverNow: 1_004 }).latency, 4);
  });

  it("never changes a prototype by a whole message", () => {
    for (const name of ["__proto__", "\\u005f_proto__", "constructor", "prototype"]) {
      const message = received(`{"${name}":{"bad":1},"payload":{"${name}":{"bad":1}}}`, "message");
      assert.equal(Object.getPrototypeOf(message), Object.prototype);
      assert.equal((message as { bad?: unknown }).bad, undefined);
      assert.ok(!Object.hasOwn(message, "constructor") && !Object.hasOwn(message, "prototype"));
      assert.deepEqual(message.payload, {});
    }
  });

  it("refuses as a whole message what is none", () => {
    for (const text of ["12", "null", "[]", "text", '{"payload":{"$buffer":5}}', "{}}"]) {
      assert.throws(() => received(text, "message"), isMalformed("a whole message"), text);
    }
    assert.throws(() => received('{"a":{"$buffer":"%"}}', "message"), isMalformed("whole"));
  });

  it("brings the text as it is in place of an error, when told to", () => {
    for (const output of ["json", "buffer", "base64", "message"] as const) {
      const message = received("neither: nor!", { output, malformed: "raw" });
      assert.deepEqual(message, rejectedMessageOf(itemOf("neither: nor!")), output);
      assert.equal(message.payload, "neither: nor!");
    }
  });

  it("has the latency by the server's clock, and never less than nothing", () => {
    assert.equal(received("1", { output: "auto", serverNow: 1_012.4 }).latency, 12);
    assert.equal(received("1", { output: "auto", serverNow: 990 }).latency, 0);
    assert.ok(!("latency" in received("1", "auto")));
  });

  it("is defined for JSON of depth 5,000, whatever the output", () => {
    const deep = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
    for (const output of ["auto", "string"] as const) {
      assert.equal(received(deep, output).payload, deep);
    }
    for (const output of ["json", "message", "buffer"] as const) {
      assert.throws(() => received(deep, output), isMalformed("portal hall"));
      assert.equal(received(deep, { output, malformed: "raw" }).payload, deep);
    }
  });

  it("shares no Buffer with another message for the same item", () => {
    const one = received("AQL6", "buffer").payload as Buffer;
    const other = received("AQL6", "buffer").payload as Buffer;
    one[0] = 99;
    assert.equal(other[0], 1);
  });

  it("is defined for any text and any output, and always says where it came from", () => {
    const outputs = fc.constantFrom<OutputFormat>("auto", "string", "json", "buffer", "message");
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.base64String());
    fc.assert(
      fc.property(texts, outputs, (text, output) => {
        const message = received(text, { output, malformed: "raw", serverNow: 1_001 });
        assert.equal(message.portalid, "hall");
        assert.deepEqual([message.servertimestamp, message.latency], [1_000, 1]);
      }),
    );
  });
});

describe("the message about a gap", () => {
  it("says in XRTC's own words which items are missing, and between which", () => {
    const gap = {
      portalId: "hall",
      reason: "overrun",
      missing: 3,
      before: { serverTimestamp: 5, seq: 1 },
      after: { serverTimestamp: 9 },
    } as const;
    assert.deepEqual(gapMessageOf(gap), {
      topic: "hall",
      portalid: "hall",
      payload: {
        portalid: "hall",
        reason: "overrun",
        missing: 3,
        before: { servertimestamp: 5, seq: 1 },
        after: { servertimestamp: 9 },
      },
    });
    assert.deepEqual(gapMessageOf({ portalId: "hall", reason: "epoch" }).payload, {
      portalid: "hall",
      reason: "epoch",
    });
  });
});
