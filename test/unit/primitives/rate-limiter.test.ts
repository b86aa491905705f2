import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { RateLimiter } from "../../../src/primitives/rate-limiter.js";
import { VirtualClock } from "../server/virtual-clock.js";

describe("a rate limiter", () => {
  it("never lets more pass in any window, and never holds back what fits", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), pauses, (countMax, list) => {
        const clock = new VirtualClock();
        const limiter = new RateLimiter(countMax, 1_000, clock);
        const passed: number[] = [];
        for (const pause of list) {
          clock.advance(pause);
          const inWindow = passed.filter((at) => at > clock.now() - 1_000).length;
          const wait = limiter.tryTake();
          assert.equal(wait === 0, inWindow < countMax);
          if (wait === 0) passed.push(clock.now());
        }
      }),
    );
  });

  it("says exactly how long to wait", () => {
    const clock = new VirtualClock();
    const limiter = new RateLimiter(2, 1_000, clock);
    assert.equal(limiter.waitMs(), 0);
    limiter.tryTake();
    clock.advance(300);
    limiter.tryTake();
    assert.equal(limiter.tryTake(), 700);
    clock.advance(699);
    assert.equal(limiter.tryTake(), 1);
    clock.advance(1);
    assert.equal(limiter.tryTake(), 0);
    assert.equal(limiter.waitMs(), 300);
  });
});
