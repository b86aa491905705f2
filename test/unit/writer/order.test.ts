import assert from "node:assert/strict";
import { XrtcError } from "../../../src/errors.js";
import { encodeItem } from "../../../src/protocol/codec.js";
import { parcelBytes } from "../../../src/writer/batcher.js";
import type { ItemSink } from "../../../src/writer/item-sink.js";
import type { WritePolicy } from "../../../src/writer/policy.js";
import { Writer } from "../../../src/writer/writer.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const POLICY: WritePolicy = { level: "atLeastOnce", queue: "reject", ttlMs: 60_000, owner: "" };

/** One request: what it carries and under which number. */
interface Seen {
  readonly payloads: string;
  readonly producer: string;
  readonly sequence: number;
}

type Answer = XrtcError | "ok" | "never";

/** A writer with a window of eight over a sink that answers as it is told to; every call is a batch of its own. */
function setUp(answerOf: (payloads: string, time: number) => Answer, attemptsMax = 6) {
  const clock = new VirtualClock();
  const seen: Seen[] = [];
  const sink: ItemSink = {
    windowMax: 8,
    async set(encodedItems, { place, sent, signal }) {
      const payloads = encodedItems
        .map((item) => (JSON.parse(item) as { payload: string }).payload)
        .join("");
      sent();
      const time = seen.filter((each) => each.payloads === payloads).length;
      seen.push({ payloads, ...place(1) });
      const answer = answerOf(payloads, time);
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        if (answer !== "never") clock.schedule(5, resolve);
      });
      if (answer instanceof XrtcError) throw answer;
      return { serverTimestamp: 1, idempotent: true };
    },
    troubled: (_cause, _failures, backoff) => backoff,
  };
  let ids = 0;
  const random = { next: () => 0.5, id: () => `id-${(ids += 1)}` };
  const limits = {
    batchBytesMax: 1_024,
    batchItemsMax: 100,
    requestBytesMax: 1_024,
    attemptsMax,
    queueCountMax: 1_000,
    queueBytesMax: 1_000_000,
  };
  const writer = new Writer({ sink, clock, random, limits });
  const write = (payload: string, policy: Partial<WritePolicy> = {}): Promise<string> => {
    const encodedItems = [encodeItem({ portalId: "p", payload })];
    const parcel = { encodedItems, bytes: parcelBytes(encodedItems), portalIds: ["p"] };
    return writer.write({ ...parcel, policy: { ...POLICY, ...policy } }).then(
      ({ attempts, duplicatePossible }) =>
        `ok ${attempts}${duplicatePossible ? ", perhaps twice" : ""}`,
      (error: unknown) => {
        assert.ok(error instanceof XrtcError);
        return `${error.code} ${error.outcome} ${error.attempts} at ${clock.now()}`;
      },
    );
  };
  /** Each letter is a call, each word a batch. */
  const writeAll = async (words: string, policy: Partial<WritePolicy> = {}) => {
    const ends: Promise<string>[] = [];
    for (const word of words.split(" ")) {
      for (const letter of word) ends.push(write(letter, policy));
      await clock.advance(1);
    }
    return ends;
  };
  return { clock, seen, write, writeAll };
}

const refused = () =>
  new XrtcError("XRTC_ITEM_REFUSED", "bad", { outcome: "fail", status: 400, serviceCode: 30 });
const wordless = () =>
  new XrtcError("XRTC_ITEM_REFUSED", "The service answered with status 400.", {
    outcome: "fail",
    status: 400,
  });
const used = () =>
  new XrtcError("XRTC_ITEM_REFUSED", "this number was used before", {
    outcome: "fail",
    status: 409,
    serviceCode: 30,
  });
const early = () => new XrtcError("XRTC_SERVICE", "early", { retryable: true, outcome: "fail" });
const lost = () =>
  new XrtcError("XRTC_CONNECTION_LOST", "lost", { retryable: true, outcome: "unknown" });

/** What went out under each producer, in the order of the numbers. */
function lanesOf(seen: readonly Seen[]): string[] {
  const lanes = new Map<string, Map<number, string>>();
  for (const { producer, sequence, payloads } of seen) {
    const lane = lanes.get(producer) ?? new Map<number, string>();
    lanes.set(producer, lane.set(sequence, payloads));
  }
  return [...lanes.values()].map((lane) =>
    [...lane]
      .toSorted(([a], [b]) => a - b)
      .map(([sequence, payloads]) => `${sequence}${payloads}`)
      .join(" "),
  );
}

describe("A batch in a window", () => {
  it("that is refused keeps its place with its halves, under numbers of a new producer", async () => {
    const { clock, seen, writeAll } = setUp((payloads, time) => {
      if (payloads.includes("x")) return refused();
      return payloads === "d" && time === 0 ? early() : "ok";
    });
    const ends = await writeAll("a bxc d");
    await clock.advance(1_000);
    assert.deepEqual(lanesOf(seen), ["1a 2bxc 3d", "1bx", "1b 2x", "1c 2d"]);
    const [a, b, x, ...rest] = await Promise.all(ends);
    assert.deepEqual([a, b, ...rest], ["ok 1", "ok 3", "ok 2", "ok 2"]);
    assert.match(x ?? "", /^XRTC_ITEM_REFUSED fail 3/);
  });

  it("is sent once more when a refusal came without the service's words, and is believed then", async () => {
    const { clock, seen, writeAll } = setUp((payloads, time) => {
      if (payloads === "ab") return time === 0 ? wordless() : "ok";
      return payloads.includes("x") ? wordless() : "ok";
    });
    const ends = await writeAll("ab cx");
    await clock.advance(5_000);
    const [a, b, c, x] = await Promise.all(ends);
    assert.deepEqual([a, b], ["ok 2", "ok 2"]);
    assert.match(c ?? "", /^ok/);
    assert.match(x ?? "", /^XRTC_ITEM_REFUSED fail/);
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      ["ab", "cx", "ab", "cx", "c", "x", "x"],
    );
  });

  it("does not spend its attempts on the refusals of those before it", async () => {
    const earlyTimes: Readonly<Record<string, number>> = { x: 0, y: 1, z: 1, d: 1 };
    const { clock, writeAll } = setUp((payloads, time) => {
      if (time < (earlyTimes[payloads] ?? 0)) return early();
      return payloads === "d" ? "ok" : refused();
    }, 1);
    const ends = await writeAll("x y z d");
    // Nor does it wait longer than for them.
    await clock.advance(30);
    assert.equal(await ends[3], "ok 2");
  });

  it("goes alone after one that was refused, so that a row of bad ones costs a request each", async () => {
    const bad = "a b c d e".split(" ");
    const refusedAt = new Map<string, number>();
    const { clock, seen, writeAll } = setUp((payloads) => {
      const before = bad[bad.indexOf(payloads) - 1];
      // The answer to one before it is under way still, or is not given yet.
      if (before !== undefined && (refusedAt.get(before) ?? Infinity) > clock.now()) return early();
      refusedAt.set(payloads, clock.now() + 5);
      return refused();
    });
    const ends = await writeAll(bad.join(" "));
    await clock.advance(1_000);
    for (const end of ends) assert.match(await end, /^XRTC_ITEM_REFUSED/);
    // Four were under way already when the first was refused.
    assert.equal(seen.length, bad.length + 4);
  });

  it("is given up when its attempts are spent, and is not begun anew for those that have time left", async () => {
    const { clock, seen, write } = setUp(() => early(), 2);
    const ends = [write("a"), write("b")];
    await clock.advance(30_000);
    const [a, b] = await Promise.all(ends);
    assert.match(a ?? "", /^XRTC_SERVICE fail 2/);
    assert.equal(a, b);
    assert.equal(seen.length, 2);
  });

  it("goes on without the writes whose time is over, and counts what was tried with them", async () => {
    const { clock, seen, write } = setUp((payloads, time) => {
      if (payloads === "x") return time === 0 ? lost() : "ok";
      return payloads === "ab" ? early() : "ok";
    }, 50);
    const first = write("x");
    await clock.advance(10);
    // Nothing new goes out while the first is tried again: so they share a batch.
    const old = write("a", { ttlMs: 1_000 });
    await clock.advance(100);
    const young = write("b", { ttlMs: 1_000 });
    await clock.advance(5_000);
    assert.equal(await first, "ok 2");
    assert.match(await old, /^XRTC_SERVICE fail \d at 101\d$/);
    const together = seen.filter(({ payloads }) => payloads === "ab").length;
    assert.ok(together > 1);
    assert.equal(await young, `ok ${together + 1}`);
  });

  it("that is a half of a refused one ends in its time while one before it has no answer", async () => {
    const { clock, writeAll } = setUp((payloads) => {
      if (payloads === "a") return "never";
      return payloads.includes("x") ? refused() : "ok";
    });
    const slow = await writeAll("a");
    const ends = await writeAll("xb", { ttlMs: 3_000 });
    await clock.advance(10_000);
    for (const end of ends) assert.match(await end, /^XRTC_TIMEOUT fail 1 at 300\d$/);
    await clock.advance(100_000);
    assert.match((await slow[0]) ?? "", /^XRTC_NOT_CONFIRMED unknown/);
  });

  it("whose number was used under a forgotten key is told to be unknown, and is not sent in parts", async () => {
    const { clock, seen, writeAll } = setUp((_payloads, time) => (time === 0 ? lost() : used()));
    const ends = await writeAll("ab");
    await clock.advance(5_000);
    for (const end of ends) assert.match(await end, /^XRTC_NOT_CONFIRMED unknown 2/);
    assert.deepEqual(
      seen.map(({ payloads }) => payloads),
      ["ab", "ab"],
    );
  });

  it("goes its way one at a time where the order is not kept any more", async () => {
    let windowMax = 8;
    const clock = new VirtualClock();
    let open = 0;
    let openMax = 0;
    const times = new Map<string, number>();
    const sink: ItemSink = {
      get windowMax() {
        return windowMax;
      },
      async set([item = ""], { sent }) {
        sent();
        const time = times.get(item) ?? 0;
        times.set(item, time + 1);
        if (time > 0) {
          open += 1;
          openMax = Math.max(openMax, open);
        }
        await new Promise<void>((resolve) => clock.schedule(5, resolve));
        windowMax = 1;
        if (time === 0) throw lost();
        open -= 1;
        return { serverTimestamp: 1, idempotent: false };
      },
      troubled: (_cause, _failures, backoff) => backoff,
    };
    const random = { next: () => 0.5, id: () => "id" };
    const sizes = { batchBytesMax: 1, batchItemsMax: 1, requestBytesMax: 1_024 };
    const limits = { ...sizes, attemptsMax: 6, queueCountMax: 10, queueBytesMax: 10_000 };
    const writer = new Writer({ sink, clock, random, limits });
    const ends = ["a", "b", "c"].map((payload) => {
      const encodedItems = [encodeItem({ portalId: "p", payload })];
      const parcel = { encodedItems, bytes: parcelBytes(encodedItems), portalIds: ["p"] };
      return writer.write({ ...parcel, policy: POLICY });
    });
    await clock.advance(5_000);
    await Promise.all(ends);
    assert.equal(openMax, 1);
  });
});
