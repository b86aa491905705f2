import assert from "node:assert/strict";
import { encodeItem } from "../../../src/protocol/codec.js";
import type { ItemSink } from "../../../src/writer/item-sink.js";
import { parcelBytes } from "../../../src/writer/batcher.js";
import { Writer } from "../../../src/writer/writer.js";
import { settled, VirtualClock } from "../../support/virtual-clock.js";

const LIMITS = {
  batchBytesMax: 1_024,
  batchItemsMax: 100,
  requestBytesMax: 1_024,
  attemptsMax: 6,
  queueCountMax: 1_000,
  queueBytesMax: 1_000_000,
};

/** A writer whose sink takes eight batches at a time and answers none before it is told to. */
function setUp() {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const answers: (() => void)[] = [];
  const sink: ItemSink = {
    windowMax: 8,
    async set(encodedItems, { sent }) {
      seen.push(encodedItems.length);
      sent();
      await new Promise<void>((resolve) => answers.push(resolve));
      return { serverTimestamp: 1, idempotent: true };
    },
    troubled: (_cause, _failures, backoff) => backoff,
  };
  const random = { next: () => 0.5, id: () => "key" };
  const writer = new Writer({ sink, clock, random, limits: LIMITS });
  const write = (payload: string) => {
    const encodedItems = [encodeItem({ portalId: "p", payload })];
    const parcel = { encodedItems, bytes: parcelBytes(encodedItems), portalIds: ["p"] };
    const policy = { level: "atLeastOnce", queue: "reject", ttlMs: 60_000, owner: "" } as const;
    return writer.write({ ...parcel, policy });
  };
  return { clock, seen, answers, write };
}

describe("A writer with several batches in flight", () => {
  it("sends full ones without a pause, and lets the rest gather for a moment", async () => {
    const { clock, seen, answers, write } = setUp();
    const written = Array.from({ length: 40 }, () => write("x".repeat(100)));
    await settled();
    assert.deepEqual(seen, [7, 7, 7, 7, 7]);
    await clock.advance(1);
    assert.deepEqual(seen, [7, 7, 7, 7, 7, 5]);
    for (const answer of answers) answer();
    await Promise.all(written);
  });

  it("keeps to the window, however much waits", async () => {
    const { clock, seen, answers, write } = setUp();
    const written = Array.from({ length: 70 }, () => write("x".repeat(100)));
    await settled();
    await clock.advance(10);
    assert.equal(seen.length, 8);
    for (let at = 0; at < answers.length; at += 1) {
      answers[at]?.();
      await clock.advance(1);
    }
    await Promise.all(written);
  });
});
