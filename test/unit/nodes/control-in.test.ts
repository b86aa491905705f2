import assert from "node:assert/strict";
import { controlOf } from "../../../nodes/lib/control-in.js";
import { portalsOf } from "../../../nodes/lib/portals-of.js";
import type { XrtcErrorCode } from "../../../src/errors.js";
import { isXrtcError } from "../../../src/errors.js";

const refused = (code: XrtcErrorCode, pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, code) && pattern.test(error.message);

describe("the portals that a message names", () => {
  it("stand in msg.portals, else in msg.portalid, else in msg.topic", () => {
    const message = { portals: ["a"], portalid: "b", topic: "c" };
    assert.deepEqual(portalsOf(message), ["a"]);
    assert.deepEqual(portalsOf({ ...message, portals: undefined }), ["b"]);
    assert.deepEqual(portalsOf({ ...message, portals: null, portalid: "" }), ["c"]);
  });

  it("are one or several, each once, as an array or as text", () => {
    assert.deepEqual(portalsOf({ portals: "hall, attic hall;cellar" }), [
      "hall",
      "attic",
      "cellar",
    ]);
    assert.deepEqual(portalsOf({ portals: ["hall", "attic cellar", 7] }), [
      "hall",
      "attic",
      "cellar",
      "7",
    ]);
  });

  it("are refused when there are none, or what is named is none", () => {
    assert.throws(() => portalsOf({ payload: "a" }), refused("XRTC_PORTAL_MISSING", /no portal/));
    assert.throws(() => portalsOf({ portals: [] }), refused("XRTC_PORTAL_MISSING", /msg\.portals/));
    assert.throws(() => portalsOf({ topic: " , " }), refused("XRTC_PORTAL_MISSING", /msg\.topic/));
    assert.throws(
      () => portalsOf({ topic: "home/hall" }),
      refused("XRTC_PORTAL_INVALID", /msg\.topic: "home\/hall"/),
    );
    assert.throws(
      () => portalsOf({ portals: ["a", { id: "b" }] }),
      refused("XRTC_PORTAL_INVALID", /msg\.portals\[1\]: expected text, received object/),
    );
  });
});

describe("what a message tells an xrtc-in to do", () => {
  it("is one of six verbs, with portals where it is about some", () => {
    assert.deepEqual(controlOf({ action: "subscribe", topic: "hall" }), {
      verb: "subscribe",
      portals: ["hall"],
    });
    assert.throws(() => controlOf({ action: "unsubscribe" }), refused("XRTC_PORTAL_MISSING", /./));
    for (const verb of ["getSubscriptions", "pause", "resume", "getStatus"]) {
      assert.deepEqual(controlOf({ action: verb, topic: "not/a portal" }), { verb });
    }
  });

  it("is never guessed: any other value is refused by name", () => {
    for (const [action, shown] of [
      ["connect", /received "connect"/],
      ["Subscribe", /received "Subscribe"/],
      ["constructor", /received "constructor"/],
      [undefined, /received none/],
      [["pause"], /received object/],
    ] as const) {
      assert.throws(() => controlOf({ action }), refused("XRTC_OPTIONS", shown));
    }
  });
});
