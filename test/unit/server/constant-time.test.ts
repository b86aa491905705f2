import { strict as assert } from "node:assert";
import crypto from "node:crypto";
import { ALICE, CoreHarness } from "./core-harness.js";

describe("a login at the local server, whatever is wrong with it", () => {
  const real = crypto.timingSafeEqual;
  let lengths: number[] = [];

  before(() => {
    // The one way to see that keys are compared by nothing else.
    crypto.timingSafeEqual = (a, b) => {
      lengths.push(a.byteLength, b.byteLength);
      return real(a, b);
    };
  });

  after(() => {
    crypto.timingSafeEqual = real;
  });

  it("costs one comparison in constant time of hashes that are equally long (A1)", () => {
    const server = new CoreHarness({ limits: { loginIntervalMsMin: 0 } });
    const { accountId, apiKey } = ALICE;
    const logins = [
      [ALICE, 200],
      [{ accountId, apiKey: `${apiKey.slice(0, -1)}b` }, 400],
      [{ accountId, apiKey: "" }, 400],
      [{ accountId, apiKey: "a".repeat(2_000) }, 400],
      [{ accountId: "AC9999", apiKey }, 400],
      [{ accountId: "__proto__", apiKey }, 400],
    ] as const;
    for (const [who, status] of logins) {
      lengths = [];
      assert.equal(server.tryLogin(who).status, status);
      assert.deepEqual(lengths, [32, 32], who.accountId);
    }
  });
});
