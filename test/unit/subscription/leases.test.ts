import assert from "node:assert/strict";
import { Leases } from "../../../src/subscription/leases.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const leases = (): Leases => new Leases({ clock: new VirtualClock(), getTimeoutMs: 5_000 });

describe("Portals on lease", () => {
  it("are read by one request at a time, and told to whoever waits when they are free", () => {
    const all = leases();
    const first = all.take(["a", "b"]);
    assert.deepEqual([...all.take(["b", "c"]).taken], ["c"]);
    let isFree = false;
    all.onceFree("a", () => {
      isFree = true;
    });
    assert.equal(isFree, false);
    first.release();
    assert.equal(isFree, true);
    assert.equal(all.isHeld("b"), false);
  });

  it("may be shared with a request that was given up, as long as the service may answer that", () => {
    const all = leases();
    all.take(["a"]).abandon();
    assert.equal(all.wasShared("a", 0), true);
    assert.equal(all.wasShared("a", 5_999), true);
    assert.equal(all.wasShared("a", 6_000), false);
    assert.equal(all.wasShared("b", 0), false);
  });

  it("are not shared with a request that was over when it was given up", () => {
    const all = leases();
    const lease = all.take(["a"]);
    lease.release();
    lease.abandon();
    assert.equal(all.wasShared("a", 0), false);
  });
});
