import assert from "node:assert/strict";
import { encodedText, type Encoding } from "../../../nodes/lib/encoding.js";
import { itemsOf } from "../../../nodes/lib/message-out.js";
import { isXrtcError, type XrtcErrorCode } from "../../../src/index.js";

const refused = (code: XrtcErrorCode, pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, code) && pattern.test(error.message);

const encoded = (payload: unknown, encoding: Encoding): string =>
  encodedText({ payload }, { encoding, properties: [] });

const whole = (message: object, properties: readonly string[] = []): unknown =>
  JSON.parse(encodedText({ ...message }, { encoding: "message", properties }));

const bytes = Buffer.from([1, 2, 250]);

describe("an encoding", () => {
  it("as a string takes a Buffer for UTF-8 text and leaves no other text as it is not", () => {
    assert.equal(encoded("warm", "string"), "warm");
    assert.equal(encoded(Buffer.from("wärm"), "string"), "wärm");
    assert.equal(encoded(Buffer.from("\uFEFFwarm"), "string"), "\uFEFFwarm");
    assert.equal(encoded(21.5, "string"), "21.5");
    assert.equal(encoded(NaN, "string"), "NaN");
    assert.equal(encoded(10n, "string"), "10");
    assert.equal(encoded(true, "string"), "true");
    assert.equal(encoded({ a: [1] }, "string"), '{"a":[1]}');
    assert.throws(() => encoded(bytes, "string"), refused("XRTC_PAYLOAD_INVALID", /no UTF-8 text/));
    assert.throws(() => encoded(undefined, "string"), refused("XRTC_PAYLOAD_INVALID", /undefined/));
  });

  it("as JSON puts a string into quotes, and refuses binary", () => {
    assert.equal(encoded("21", "json"), '"21"');
    assert.equal(encoded({ a: [1] }, "json"), '{"a":[1]}');
    assert.equal(encoded(null, "json"), "null");
    assert.throws(() => encoded(bytes, "json"), refused("XRTC_PAYLOAD_INVALID", /choose Base64/));
    assert.throws(() => encoded(NaN, "json"), refused("XRTC_PAYLOAD_INVALID", /NaN has no form/));
  });

  it("as Base64 takes binary and nothing else, so that nothing is encoded twice", () => {
    assert.equal(encoded(bytes, "base64"), "AQL6");
    assert.equal(encoded(Uint8Array.from(bytes), "base64"), "AQL6");
    for (const payload of ["AQL6", [1, 2], null, undefined]) {
      assert.throws(
        () => encoded(payload, "base64"),
        refused("XRTC_PAYLOAD_INVALID", /expected a Buffer/),
      );
    }
  });
});

describe("a whole message", () => {
  it("is topic, payload and the properties that were chosen, as far as the message has them", () => {
    const message = { topic: "a/b", payload: 21.5, retain: true, qos: 1, _msgid: "m1" };
    assert.deepEqual(whole(message, ["retain", "missing"]), {
      topic: "a/b",
      payload: 21.5,
      retain: true,
    });
    assert.deepEqual(whole({ payload: null }), { payload: null });
  });

  it("carries a Buffer as such, whichever property it is in", () => {
    assert.deepEqual(whole({ payload: bytes, thumb: Uint8Array.from(bytes) }, ["thumb"]), {
      payload: { $buffer: "AQL6" },
      thumb: { $buffer: "AQL6" },
    });
  });

  it("leaves functions out, and what the message only inherits", () => {
    const message = Object.assign(Object.create({ retain: true }) as object, {
      payload: 1,
      callback: () => 1,
    });
    const format = { encoding: "message", properties: ["retain", "callback", "toString"] } as const;
    const source = message as unknown as Record<string, unknown>;
    assert.deepEqual(JSON.parse(encodedText(source, format)), { payload: 1 });
  });

  it("is refused when it has none of them, or one that JSON cannot express, which is named", () => {
    assert.throws(() => whole({ other: 1 }), refused("XRTC_PAYLOAD_INVALID", /neither topic nor/));
    assert.throws(
      () => whole({ payload: 1, level: NaN }, ["level"]),
      refused("XRTC_PAYLOAD_INVALID", /^msg\.level: NaN/),
    );
    assert.throws(() => whole({ payload: 10n }), refused("XRTC_PAYLOAD_INVALID", /BigInt/));
  });

  it("is each entry of msg.items for itself", () => {
    const items = [{ portalid: "hall", topic: "a", payload: 1, retain: true }, { payload: 2 }];
    const portal = { value: "attic", place: "the node's portal" };
    assert.deepEqual(itemsOf({ items }, portal, { encoding: "message", properties: ["retain"] }), [
      { portalId: "hall", payload: '{"topic":"a","payload":1,"retain":true}' },
      { portalId: "attic", payload: '{"payload":2}' },
    ]);
  });
});

describe("a portal that a typed input names", () => {
  it("goes before that of the message, and says where it should stand when there is none", () => {
    const format = { encoding: "auto", properties: [] } as const;
    const message = { payload: "x", portalid: "other", topic: "other" };
    assert.equal(itemsOf(message, { value: 7, place: "msg.room" }, format)[0]?.portalId, "7");
    for (const value of [undefined, null, ""]) {
      assert.throws(
        () => itemsOf(message, { value, place: "msg.room" }, format),
        refused("XRTC_PORTAL_MISSING", /^no portal: msg\.room holds none$/),
      );
    }
    assert.throws(
      () => itemsOf(message, { value: "a-b", place: "flow.room" }, format),
      refused("XRTC_PORTAL_INVALID", /^flow\.room: "a-b"/),
    );
  });
});
