import assert from "node:assert/strict";
import { Handover, HANDOVER_MS_MAX, isUnsent } from "../../../nodes/lib/handover.js";
import { XrtcError } from "../../../src/index.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const closing = new XrtcError("XRTC_CLOSED", "the node is closing", { outcome: "fail" });

function setUp() {
  const clock = new VirtualClock();
  const handover = new Handover(clock);
  const failed: unknown[] = [];
  const leave = (id: string, payload: unknown, order: number): void =>
    void handover.leave(id, { payload }, { order, at: order }, closing).catch((error: unknown) => {
      assert.equal(error, closing);
      failed.push(payload);
    });
  const take = (id: string): unknown[] => handover.take(id).map(({ payload }) => payload);
  return { clock, handover, failed, leave, take };
}

describe("what a node leaves to its successor", () => {
  it("comes to the node of the same id, in the order of the messages, once", async () => {
    const { clock, handover, failed, leave, take } = setUp();
    leave("o1", "late", 3);
    leave("o1", "a", 1);
    leave("o2", "other", 1);
    leave("o1", "b", 2);
    assert.deepEqual(take("o1"), ["a", "b", "late"]);
    assert.deepEqual(take("o1"), []);
    assert.deepEqual(take("o2"), ["other"]);
    handover.giveUp();
    await clock.advance(HANDOVER_MS_MAX);
    assert.deepEqual([failed, clock.timerCount], [[], 0]);
  });

  it("keeps when it came, so that it does not live longer for a deploy", () => {
    const { handover, leave } = setUp();
    leave("o1", "a", 7);
    const [message] = handover.take("o1");
    assert.ok(message !== undefined);
    assert.equal(handover.arrivedAt(message), 7);
    assert.equal(handover.arrivedAt({ payload: "a" }), undefined);
  });

  it("fails, each message once, when nobody comes for it", async () => {
    const { clock, handover, failed, leave, take } = setUp();
    leave("o1", "a", 1);
    leave("o2", "b", 1);
    handover.giveUp();
    await clock.advance(0);
    assert.deepEqual([failed, take("o1"), clock.timerCount], [["a", "b"], [], 0]);
    leave("o1", "c", 2);
    await clock.advance(HANDOVER_MS_MAX);
    assert.deepEqual([failed, clock.timerCount], [["a", "b", "c"], 0]);
  });

  it("is bounded: one message too many fails at once", async () => {
    const { clock, failed, leave, take } = setUp();
    for (let order = 0; order <= 10_000; order += 1) leave("o1", order, order);
    await clock.advance(0);
    assert.deepEqual(failed, [10_000]);
    assert.equal(take("o1").length, 10_000);
  });

  it("is only what was provably not sent", () => {
    assert.equal(isUnsent(closing), true);
    assert.equal(isUnsent(closing.with({ outcome: "unknown" })), false);
    assert.equal(isUnsent(new XrtcError("XRTC_QUEUE_FULL", "full", { outcome: "fail" })), false);
  });
});
