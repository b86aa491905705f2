import assert from "node:assert/strict";
import { type Answer, Ledger } from "./ledger.js";

const PORTAL = "p";

/** What a ledger has to say of sets with these answers, and of what arrived by its index. */
function verdict(answers: readonly Answer[], arrived: readonly number[]): readonly string[] {
  const ledger = new Ledger([PORTAL]);
  for (const answer of answers) ledger.settled(PORTAL, ledger.next().index, answer);
  for (const index of arrived) ledger.arrived(PORTAL, `${PORTAL} ${index}`);
  return [...ledger.violations()];
}

describe("the ledger of what was set, answered and delivered", () => {
  it("finds nothing where each acknowledged item came once and in order, and unknown ones at most once", () => {
    assert.deepEqual(verdict(["ok", "ok", "fail", "unknown", "ok"], [0, 1, 4]), []);
    assert.deepEqual(verdict(["ok", "unknown", "ok"], [0, 1, 2]), []);
  });

  for (const [what, answers, arrived, found] of [
    ["an acknowledged item that is lost", ["ok", "ok"], [1], "acknowledged and lost: 0"],
    ["a refused item that came", ["ok", "fail"], [0, 1], "refused and delivered: 1"],
    ["an acknowledged item that came twice", ["ok", "ok"], [0, 1, 1], "delivered twice: 1"],
    ["an unknown item that came twice", ["unknown", "ok"], [0, 0, 1], "delivered twice: 0"],
    ["items in another order", ["ok", "ok"], [1, 0], "out of order: 0"],
    ["an item that nobody set", ["ok"], [0, 5], "set by nobody: p 5"],
  ] as const) {
    it(`finds ${what}`, () => {
      assert.deepEqual(verdict(answers, arrived), [`${PORTAL}: ${found}`]);
    });
  }
});
