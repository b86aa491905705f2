import assert from "node:assert/strict";
import { timeMs } from "../../../nodes/contract/in.js";
import { readInSettings, startOf } from "../../../nodes/lib/settings/in.js";
import { isXrtcError } from "../../../src/errors.js";

const read = (fields: object) => readInSettings({ id: "i1", type: "xrtc-in", ...fields });

const refusedFor = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_OPTIONS") && pattern.test(error.message);

describe("the settings of xrtc-in", () => {
  it("need a portal, unless messages bring it", () => {
    assert.throws(() => read({ portals: " , " }), refusedFor(/portals: name at least one portal/));
    assert.deepEqual(read({ portals: "", dynamic: true }).portals, []);
    assert.throws(() => read({ portals: "a-b", dynamic: true }), refusedFor(/portals/));
  });

  it("need a time only where reading starts at one", () => {
    assert.throws(
      () => read({ portals: "a", start: "since" }),
      refusedFor(/since: expected a time/),
    );
    assert.throws(() => read({ portals: "a", start: "since", since: "noon" }), refusedFor(/since/));
    assert.equal(startOf(read({ portals: "a", since: "noon" })), "new");
    const settings = read({ portals: "a", start: "since", since: "2026-01-31T12:00:00Z" });
    assert.deepEqual(startOf(settings), { since: Date.UTC(2026, 0, 31, 12) });
  });

  it("take what the editor saves beside them: how many ports it draws", () => {
    assert.equal(read({ portals: "a", inputs: "1", outputs: 2 }).gaps, false);
  });

  it("keep a distance between probes that a timer can hold", () => {
    assert.equal(read({ portals: "a", probeSeconds: "5" }).probeSeconds, 5);
    for (const probeSeconds of ["0", "-1", "1.5", "86401", "x"]) {
      assert.throws(() => read({ portals: "a", probeSeconds }), refusedFor(/probeSeconds/));
    }
  });
});

describe("a time as people write it", () => {
  it("is UNIX milliseconds or ISO 8601 in any zone", () => {
    const noon = Date.UTC(2026, 0, 31, 12);
    for (const text of [
      String(noon),
      "2026-01-31T12:00:00Z",
      " 2026-01-31T12:00Z ",
      "2026-01-31 12:00:00.000Z",
      "2026-01-31T13:00:00+01:00",
      "2026-01-31T06:30:00-0530",
    ]) {
      assert.equal(timeMs(text), noon, text);
    }
  });

  it("without a zone is that of this machine, and a date alone its midnight", () => {
    assert.equal(timeMs("2026-01-31T12:00"), new Date(2026, 0, 31, 12).getTime());
    assert.equal(timeMs("2026-01-31"), new Date(2026, 0, 31).getTime());
  });

  it("is nothing else", () => {
    for (const text of ["", "noon", "-5", "1.5", "31.01.2026", "2026-02-30T99:00Z", "1e12"]) {
      assert.equal(timeMs(text), undefined, text);
    }
  });
});
