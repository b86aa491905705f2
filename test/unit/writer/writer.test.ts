import assert from "node:assert/strict";
import { XrtcError } from "../../../src/errors.js";
import { encodeItem } from "../../../src/protocol/codec.js";
import { parcelBytes } from "../../../src/writer/batcher.js";
import type { ItemSink } from "../../../src/writer/item-sink.js";
import type { WritePolicy } from "../../../src/writer/policy.js";
import { Writer, type WriterLimits } from "../../../src/writer/writer.js";
import { settled, VirtualClock } from "../../support/virtual-clock.js";

interface SeenSet {
  readonly payloads: readonly string[];
  readonly key: string;
}

const LIMITS: WriterLimits = {
  batchBytesMax: 1_024,
  batchItemsMax: 100,
  requestBytesMax: 1_024,
  attemptsMax: 6,
  queueCountMax: 1_000,
  queueBytesMax: 1_000_000,
};

const POLICY: WritePolicy = { level: "atLeastOnce", queue: "reject", ttlMs: 60_000, owner: "" };

function setUp(
  answer: (set: SeenSet, index: number) => Promise<number> | number,
  limits: Partial<WriterLimits> = {},
  idempotent = false,
) {
  const clock = new VirtualClock();
  const seen: SeenSet[] = [];
  let keys = 0;
  const troubles: string[] = [];
  const sink: ItemSink = {
    windowMax: 1,
    async set(encodedItems, { idempotencyKey, signal, sent }) {
      signal.throwIfAborted();
      const payloads = encodedItems.map(
        (item) => (JSON.parse(item) as { payload: string }).payload,
      );
      const set = { payloads, key: idempotencyKey };
      seen.push(set);
      sent();
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      const serverTimestamp = await Promise.race([answer(set, seen.length - 1), aborted]);
      return { serverTimestamp, idempotent };
    },
    troubled(cause, _failures, backoff) {
      troubles.push(cause.code);
      return backoff;
    },
  };
  const random = { next: () => 0.5, id: () => `key-${(keys += 1)}` };
  const writer = new Writer({ sink, clock, random, limits: { ...LIMITS, ...limits } });
  const write = (payload: string, signal?: AbortSignal, policy: Partial<WritePolicy> = {}) => {
    const encodedItems = [encodeItem({ portalId: "p", payload })];
    const parcel = { encodedItems, bytes: parcelBytes(encodedItems), portalIds: ["p"] };
    return writer.write({ ...parcel, policy: { ...POLICY, ...policy } }, signal);
  };
  return { clock, seen, writer, write, troubles };
}

const unknown = () =>
  new XrtcError("XRTC_CONNECTION_LOST", "lost", { retryable: true, outcome: "unknown" });
const unreachable = () =>
  new XrtcError("XRTC_UNREACHABLE", "down", { retryable: true, outcome: "fail" });
const refused = () => new XrtcError("XRTC_ITEM_REFUSED", "bad item", { outcome: "fail" });

const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "ok",
    (error: unknown) => (error instanceof XrtcError ? error.code : error),
  );

/** What a write that failed tells about whether it was stored. */
const knownOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => error instanceof XrtcError && error.outcome);

describe("The writer", () => {
  it("lets writes wait for others for the linger, and no longer", async () => {
    const { clock, seen, write, writer } = setUp(() => 1, { lingerMs: 500 });
    const first = write("a");
    await clock.advance(300);
    const second = write("b");
    await clock.advance(199);
    assert.deepEqual(seen, []);
    await clock.advance(1);
    await Promise.all([first, second]);
    const third = write("c");
    await clock.advance(499);
    assert.equal(seen.length, 1);
    await clock.advance(1);
    await third;
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      [["a", "b"], ["c"]],
    );
    await writer.close();
    assert.equal(clock.timerCount, 0);
  });

  it("waits for nobody when writes fill a batch, and when it is drained", async () => {
    const { clock, seen, write, writer } = setUp(() => 1, { lingerMs: 60_000, batchItemsMax: 2 });
    await Promise.all([write("a"), write("b")]);
    const alone = write("c");
    await settled();
    assert.equal(seen.length, 1);
    await writer.drain();
    await alone;
    assert.deepEqual(seen.at(-1)?.payloads, ["c"]);
    await writer.close();
    assert.equal(clock.timerCount, 0);
  });

  it("sends at once when idle, and what is written meanwhile as the next batch", async () => {
    let release: ((timestamp: number) => void) | undefined;
    const { seen, write } = setUp((_set, index) =>
      index === 0 ? new Promise((resolve) => (release = resolve)) : 2,
    );
    const first = write("1");
    await settled();
    const rest = ["2", "3", "4"].map((payload) => write(payload));
    await settled();
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      [["1"]],
    );
    release?.(1);
    assert.deepEqual(await first, { serverTimestamp: 1, attempts: 1, duplicatePossible: false });
    await Promise.all(rest);
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      [["1"], ["2", "3", "4"]],
    );
  });

  it("puts what is written in one go into one request", async () => {
    const { seen, write } = setUp(() => 1);
    await Promise.all(["1", "2", "3"].map((payload) => write(payload)));
    assert.equal(seen.length, 1);
  });

  it("keeps each batch within the bytes of a request", async () => {
    const { seen, write } = setUp(() => 1);
    await Promise.all(Array.from({ length: 40 }, (_, index) => write(`${index}`.padEnd(100, "x"))));
    assert.deepEqual(
      seen.flatMap(({ payloads }) => payloads.map((payload) => Number.parseInt(payload, 10))),
      Array.from({ length: 40 }, (_, index) => index),
    );
    for (const { payloads } of seen) {
      const body = { items: payloads.map((payload) => ({ portalid: "p", payload })) };
      assert(Buffer.byteLength(JSON.stringify(body)) <= 1_024);
    }
    // Seven items of 100 bytes fit into a kilobyte.
    assert(seen.length <= 6, `${seen.length} requests`);
  });

  it("refuses what can never fit, without a request", async () => {
    const { seen, write } = setUp(() => 1);
    assert.equal(await outcomeOf(write("é".repeat(600))), "XRTC_PAYLOAD_TOO_LARGE");
    assert.equal(seen.length, 0);
  });

  it("sends a batch of unknown outcome again under the same key, and says so", async () => {
    const { clock, seen, write, troubles } = setUp((_set, index) =>
      index === 0 ? Promise.reject(unknown()) : 7,
    );
    const result = write("1");
    await clock.advance(1_000);
    assert.deepEqual(await result, { serverTimestamp: 7, attempts: 2, duplicatePossible: true });
    assert.equal(seen[0]?.key, seen[1]?.key);
    assert.deepEqual(troubles, ["XRTC_CONNECTION_LOST"]);
  });

  it("says so, too, where the service may have forgotten the key by then", async () => {
    for (const [ms, sleptMs, duplicatePossible] of [
      [110_000, 0, false],
      [120_000, 0, true],
      // The monotonic clock of a machine that sleeps may rest.
      [1_000, 120_000, true],
    ] as const) {
      let answer: ((timestamp: number) => void) | undefined;
      const { clock, write } = setUp(
        (_set, index) =>
          index === 0 ? Promise.reject(unknown()) : new Promise((resolve) => (answer = resolve)),
        {},
        true,
      );
      const result = write("1", undefined, { ttlMs: 1_000_000 });
      await clock.advance(ms);
      clock.stepWall(sleptMs);
      answer?.(7);
      assert.deepEqual(await result, { serverTimestamp: 7, attempts: 2, duplicatePossible });
    }
  });

  it("keeps the order when a batch has to be sent again", async () => {
    const { clock, seen, write } = setUp((_set, index) =>
      index === 0 ? Promise.reject(unknown()) : 1,
    );
    const first = write("1");
    await settled();
    const second = write("2");
    await clock.advance(1_000);
    await Promise.all([first, second]);
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      [["1"], ["1"], ["2"]],
    );
  });

  it("gives up after six attempts, saying that the outcome is unknown", async () => {
    const { clock, seen, write } = setUp(() => Promise.reject(unknown()));
    const result = outcomeOf(write("1"));
    await clock.advance(60_000);
    assert.equal(await result, "XRTC_NOT_CONFIRMED");
    assert.equal(seen.length, 6);
  });

  it("gives up after a minute, with the cause when nothing can have been stored", async () => {
    const { clock, write } = setUp(() => Promise.reject(unreachable()), { attemptsMax: 1_000 });
    const result = outcomeOf(write("1"));
    await clock.advance(61_000);
    assert.equal(await result, "XRTC_UNREACHABLE");
  });

  it("splits a refused batch, so that one bad item does not fail its neighbours", async () => {
    const { clock, seen, write } = setUp(({ payloads }) =>
      payloads.includes("bad") ? Promise.reject(refused()) : 1,
    );
    const payloads = Array.from({ length: 20 }, (_, index) => (index === 13 ? "bad" : `${index}`));
    const outcomes = Promise.all(payloads.map((payload) => outcomeOf(write(payload))));
    await clock.advance(1_000);
    assert.deepEqual(
      await outcomes,
      payloads.map((payload) => (payload === "bad" ? "XRTC_ITEM_REFUSED" : "ok")),
    );
    const stored = seen
      .filter((set) => !set.payloads.includes("bad"))
      .flatMap((set) => set.payloads);
    assert.deepEqual(
      stored,
      payloads.filter((payload) => payload !== "bad"),
    );
  });

  it("refuses the newest when the queue is full", async () => {
    const { writer, write } = setUp(() => new Promise(() => undefined), { queueCountMax: 2 });
    const first = knownOf(write("1"));
    await settled();
    const queued = [knownOf(write("2")), knownOf(write("3"))];
    assert.equal(await outcomeOf(write("4")), "XRTC_QUEUE_FULL");
    await writer.close();
    // Of the one in flight nobody knows whether it was stored; the others provably were not.
    assert.deepEqual(await Promise.all([first, ...queued]), ["unknown", "fail", "fail"]);
  });

  it("does not send what was given up while it waited", async () => {
    let release: ((timestamp: number) => void) | undefined;
    const { seen, write } = setUp((_set, index) =>
      index === 0 ? new Promise((resolve) => (release = resolve)) : 2,
    );
    const first = write("1");
    await settled();
    const giveUp = new AbortController();
    const second = outcomeOf(write("2", giveUp.signal));
    const third = write("3");
    const reason = new Error("changed my mind");
    giveUp.abort(reason);
    release?.(1);
    await Promise.all([first, third]);
    assert.equal(await second, reason);
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      [["1"], ["3"]],
    );
  });

  it("tells of what is given up whether it may be stored, and sends it no more", async () => {
    let fail: ((error: XrtcError) => void) | undefined;
    const { clock, seen, write } = setUp(() => new Promise((_resolve, reject) => (fail = reject)));
    const leaving = new AbortController();
    const first = knownOf(write("1", leaving.signal));
    await settled();
    const second = knownOf(write("2", leaving.signal));
    leaving.abort(new XrtcError("XRTC_CLOSED", "closing", { outcome: "fail" }));
    assert.deepEqual([await first, await second], ["unknown", "fail"]);
    fail?.(unknown());
    await clock.advance(60_000);
    assert.equal(seen.length, 1);
  });

  it("drains: settles what waits and takes nothing more", async () => {
    const { clock, writer, write, seen } = setUp((_set, index) =>
      index === 0 ? Promise.reject(unknown()) : 1,
    );
    const first = outcomeOf(write("1"));
    const drained = writer.drain();
    assert.equal(await outcomeOf(write("2")), "XRTC_CLOSED");
    await clock.advance(1_000);
    await drained;
    assert.equal(await first, "ok");
    assert.equal(seen.length, 2);
    assert.equal(clock.timerCount, 0);
  });
});
