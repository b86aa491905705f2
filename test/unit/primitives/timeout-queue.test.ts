import { strict as assert } from "node:assert";
import { TimeoutQueue } from "../../../src/primitives/timeout-queue.js";
import { VirtualClock } from "../server/virtual-clock.js";

describe("a queue of equal timeouts", () => {
  it("calls each back when it is due, in order, with one timer for all", () => {
    const clock = new VirtualClock();
    const queue = new TimeoutQueue(100, clock);
    const rang: string[] = [];
    for (const name of ["a", "b", "c"]) {
      queue.add(() => rang.push(`${name}${clock.now()}`));
      clock.advance(10);
    }
    assert.equal(clock.pending, 1);
    clock.advance(200);
    assert.deepEqual(rang, ["a100", "b110", "c120"]);
    assert.equal(clock.pending, 0);
  });

  it("does not call back what was cancelled, and keeps no timer for nothing", () => {
    const clock = new VirtualClock();
    const queue = new TimeoutQueue(100, clock);
    const rang: string[] = [];
    const [cancelA, cancelB] = ["a", "b"].map((name) => queue.add(() => rang.push(name)));
    cancelA?.();
    clock.advance(100);
    assert.deepEqual(rang, ["b"]);
    cancelB?.();
    const cancel = queue.add(() => rang.push("c"));
    cancel();
    cancel();
    assert.equal(clock.pending, 0);
    assert.equal(queue.length, 0);
  });

  it("takes what a callback adds or cancels", () => {
    const clock = new VirtualClock();
    const queue = new TimeoutQueue(100, clock);
    const rang: number[] = [];
    const again = (): void => {
      rang.push(clock.now());
      cancelLast();
      if (rang.length < 3) queue.add(again);
    };
    queue.add(again);
    const cancelLast = queue.add(() => assert.fail("was cancelled"));
    clock.advance(1_000);
    assert.deepEqual(rang, [100, 200, 300]);
    assert.equal(clock.pending, 0);
  });

  it("rings for all that are due although a timer came a moment early or late", () => {
    const clock = new VirtualClock();
    const early = {
      now: () => clock.now() - 0.4,
      wallNow: () => clock.wallNow(),
      schedule: clock.schedule.bind(clock),
    };
    const queue = new TimeoutQueue(100, early);
    let rang = 0;
    for (let count = 0; count < 3; count += 1) queue.add(() => (rang += 1));
    clock.advance(100);
    assert.equal(rang, 3);
    assert.equal(clock.pending, 0);
  });
});
