import assert from "node:assert/strict";
import { readGetSettings } from "../../../nodes/lib/settings/get.js";
import { isXrtcError } from "../../../src/index.js";

const refuses = (definition: object, words: RegExp): void =>
  assert.throws(
    () => readGetSettings(definition),
    (error) => isXrtcError(error, "XRTC_OPTIONS") && words.test(error.message),
  );

describe("The settings of xrtc-get", () => {
  it("have defaults", () => {
    assert.deepEqual(readGetSettings({ id: "g1", type: "xrtc-get", version: 1 }), {
      version: 1,
      name: "",
      config: "",
      portals: "",
      portalsType: "str",
      mode: "probe",
      schedule: "LIFO",
      cutoff: -1,
      result: "each",
      output: "auto",
      malformed: "error",
    });
  });

  it("take a list of portals, or nothing, and nothing else as text", () => {
    assert.equal(readGetSettings({ version: 1, portals: " a, b " }).portals, "a, b");
    refuses({ version: 1, portals: "a b-c" }, /^xrtc-get: portals: a portal id is/);
    refuses({ version: 1, portals: "," }, /portals/);
  });

  it("ask for no list of portals where the portals come from elsewhere, or are all of them", () => {
    assert.equal(
      readGetSettings({ version: 1, portals: "a.b", portalsType: "msg" }).portals,
      "a.b",
    );
    assert.equal(readGetSettings({ version: 1, portals: "b-c", mode: "all" }).mode, "all");
  });

  it("are refused when they are misspelt", () => {
    refuses({ version: 1, mode: "stream" }, /mode/);
    refuses({ version: 1, cutoff: "1.5" }, /cutoff/);
    refuses({ version: 1, portal: "a" }, /portal/);
  });
});
