import assert from "node:assert/strict";
import { portalIdsOf, portalsInMessage } from "../../../nodes/lib/portals-wanted.js";
import { isXrtcError, type XrtcErrorCode } from "../../../src/index.js";

const refuses = (value: unknown, code: XrtcErrorCode, words: RegExp): void =>
  assert.throws(
    () => portalIdsOf(value, "msg.portals"),
    (error) => isXrtcError(error, code) && words.test(error.message),
  );

describe("The portals that a message asks for", () => {
  it("are the ids of a text with commas or spaces between them, of an array, or of a number, each once", () => {
    assert.deepEqual(portalIdsOf("a, b;c  a", "x"), ["a", "b", "c"]);
    assert.deepEqual(portalIdsOf(["a", 12, "a"], "x"), ["a", "12"]);
    assert.deepEqual(portalIdsOf(7, "x"), ["7"]);
  });

  it("are missed when there is none, and the place is named", () => {
    for (const value of [undefined, null, "", " , ", []]) {
      refuses(value, "XRTC_PORTAL_MISSING", /^msg\.portals names no portal$/);
    }
  });

  it("are refused when one of them is no portal id, and the place is named", () => {
    refuses("a b-c", "XRTC_PORTAL_INVALID", /^msg\.portals: "b-c" is not 1 to 32 ASCII/);
    refuses(
      ["a", ["b"]],
      "XRTC_PORTAL_INVALID",
      /^msg\.portals\[1\]: expected text, received an a/,
    );
    refuses(["a", null], "XRTC_PORTAL_INVALID", /^msg\.portals\[1\]: .* received null$/);
    refuses({ a: 1 }, "XRTC_PORTAL_INVALID", /^msg\.portals: expected text, received object$/);
    refuses("x".repeat(33), "XRTC_PORTAL_INVALID", /32 ASCII/);
    const many = Array.from({ length: 1_001 }, (_, index) => `p${index}`);
    refuses(many, "XRTC_PORTAL_INVALID", /at most 1000/);
  });

  it("stand in msg.portals, else in msg.portalid, else in msg.topic", () => {
    const message = { portals: ["a"], portalid: "b", topic: "c" };
    assert.deepEqual(portalsInMessage(message), { value: ["a"], place: "msg.portals" });
    assert.equal(portalsInMessage({ ...message, portals: "" }).place, "msg.portalid");
    assert.equal(portalsInMessage({ topic: "c" }).place, "msg.topic");
    assert.throws(
      () => portalsInMessage({ payload: "x" }),
      (error) => isXrtcError(error, "XRTC_PORTAL_MISSING"),
    );
  });
});
