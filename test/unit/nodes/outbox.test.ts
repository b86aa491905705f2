import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Connection } from "../../../nodes/lib/connection.js";
import { isUnsent } from "../../../nodes/lib/handover.js";
import { lifeLeftMs, type OutPolicy } from "../../../nodes/lib/out-policy.js";
import { DRAIN_MS_MAX, Outbox } from "../../../nodes/lib/outbox.js";
import {
  isXrtcError,
  type NewItem,
  type SetItemsOptions,
  type SetResult,
  XrtcError,
  type XrtcErrorCode,
} from "../../../src/index.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const EVERY: OutPolicy = { delivery: "every", queueMax: 1_000, ttlMs: undefined };

const STORED: SetResult = { serverTimestamp: 1, attempts: 1, duplicatePossible: false };

const item = (payload: string, portalId = "hall"): readonly NewItem[] => [{ portalId, payload }];

/** An outbox before a client that answers when a test says so. */
function setUp(more: Partial<OutPolicy> = {}) {
  const clock = new VirtualClock();
  const sent: { payload: string; options: SetItemsOptions; answer: (result: SetResult) => void }[] =
    [];
  let opened = 0;
  const client = {
    setItems: (items: readonly NewItem[], options: SetItemsOptions) =>
      new Promise<SetResult>((answer, reject) => {
        sent.push({ payload: items.map(({ payload }) => payload).join(), options, answer });
        options.signal?.addEventListener("abort", () => {
          const reason = options.signal?.reason as XrtcError;
          reject(reason.with({ outcome: "unknown" }));
        });
      }),
    open: async () => void (opened += 1),
  };
  const connection = { client: async () => client } as unknown as Connection;
  const counts: number[] = [];
  const outbox: Outbox = new Outbox({
    connection,
    clock,
    policy: { ...EVERY, ...more },
    owner: "o1",
    onCount: () => counts.push(outbox.count),
  });
  const ends: string[] = [];
  /** Submits, and writes down how that ends. */
  const submit = (
    payload: string,
    items: readonly NewItem[] | Promise<readonly NewItem[]> = item(payload),
  ): void =>
    void outbox
      .submit(() => items)
      .then(
        () => ends.push(`${payload} stored`),
        (error: unknown) => ends.push(`${payload} ${(error as XrtcError).code}`),
      );
  const payloads = (): string[] => sent.map(({ payload }) => payload);
  return { clock, outbox, submit, sent, payloads, ends, counts, opened: () => opened };
}

const later = <T>() => {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

const refused =
  (code: XrtcErrorCode, pattern = /./) =>
  (error: unknown) =>
    isXrtcError(error, code) && pattern.test(error.message);

describe("an outbox", () => {
  it("hands messages over in their order, however long it takes to find their portals out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }).chain((lates) =>
          fc.tuple(
            fc.constant(lates),
            fc.shuffledSubarray(
              lates.flatMap((isLate, at) => (isLate ? [at] : [])),
              { minLength: lates.filter(Boolean).length },
            ),
          ),
        ),
        async ([lates, order]) => {
          const { clock, submit, payloads } = setUp();
          const findings = lates.map(() => later<readonly NewItem[]>());
          lates.forEach((isLate, at) => {
            submit(String(at), isLate ? findings[at]?.promise : item(String(at)));
          });
          for (const at of order) {
            findings[at]?.resolve(item(String(at)));
            await clock.advance(0);
          }
          await clock.advance(0);
          assert.deepEqual(
            payloads(),
            lates.map((_isLate, at) => String(at)),
          );
        },
      ),
    );
  });

  it("goes on behind a message whose portal cannot be found out", async () => {
    const { clock, submit, payloads, ends } = setUp();
    const finding = later<readonly NewItem[]>();
    submit("a", finding.promise);
    submit("b");
    await clock.advance(0);
    assert.deepEqual(payloads(), []);
    finding.reject(new XrtcError("XRTC_OPTIONS", "no"));
    await clock.advance(0);
    assert.deepEqual([payloads(), ends], [["b"], ["a XRTC_OPTIONS"]]);
  });

  it("keeps messages while it is paused, and hands them over in order when it is resumed", async () => {
    const { clock, outbox, submit, payloads } = setUp();
    outbox.hold("paused");
    for (const payload of ["a", "b", "c"]) submit(payload);
    await clock.advance(1_000_000);
    assert.deepEqual([payloads(), outbox.count], [[], 3]);
    outbox.hold(undefined);
    submit("d");
    await clock.advance(0);
    assert.deepEqual(payloads(), ["a", "b", "c", "d"]);
  });

  it("flushes what waits and nothing that comes later, and is done when all of it is answered", async () => {
    const { clock, outbox, submit, payloads, sent } = setUp();
    submit("before");
    await clock.advance(0);
    outbox.hold("paused");
    submit("a");
    let isFlushed = false;
    const flushing = outbox.flush().then(() => (isFlushed = true));
    submit("later");
    await clock.advance(0);
    assert.deepEqual(payloads(), ["before", "a"]);
    sent[1]?.answer(STORED);
    await clock.advance(0);
    assert.equal(isFlushed, false);
    sent[0]?.answer(STORED);
    await flushing;
    assert.equal(outbox.count, 1);
  });

  it("refuses to flush while it is disconnected, and logs in when it is told to", async () => {
    const { outbox, opened } = setUp();
    outbox.hold("disconnected");
    await assert.rejects(outbox.flush(), refused("XRTC_CLOSED", /told to disconnect/));
    outbox.hold(undefined);
    await outbox.open();
    assert.equal(opened(), 1);
  });

  it("refuses one message more than may wait, without asking for its items", async () => {
    const { clock, outbox, submit, sent, ends, counts } = setUp({ queueMax: 2 });
    outbox.hold("paused");
    submit("a");
    submit("b");
    await assert.rejects(
      outbox.submit(() => assert.fail("asked")),
      refused("XRTC_QUEUE_FULL"),
    );
    outbox.hold(undefined);
    await clock.advance(0);
    sent[0]?.answer(STORED);
    await clock.advance(0);
    submit("c");
    await clock.advance(0);
    assert.deepEqual([ends, sent.length, counts], [["a stored"], 3, [1, 2, 1, 2]]);
  });

  it("ends what has waited too long, and never sends it", async () => {
    const { clock, outbox, submit, payloads, ends } = setUp({ ttlMs: 1_000 });
    outbox.hold("paused");
    submit("a");
    await clock.advance(600);
    submit("b");
    await clock.advance(400);
    assert.deepEqual(ends, ["a XRTC_TIMEOUT"]);
    await clock.advance(500);
    outbox.hold(undefined);
    await clock.advance(0);
    assert.deepEqual(payloads(), ["b"]);
    assert.equal(clock.timerCount, 1);
    await clock.advance(100);
    assert.equal(clock.timerCount, 0);
  });

  it("counts a life from when the message came to the node that a deploy has replaced", async () => {
    const { clock, outbox, sent } = setUp({ ttlMs: 1_000 });
    await clock.advance(5_000);
    await assert.rejects(
      outbox.submit(() => item("old"), 4_000),
      refused("XRTC_TIMEOUT"),
    );
    void outbox.submit(() => item("young"), 4_500);
    await clock.advance(0);
    assert.deepEqual([sent.length, sent[0]?.options.ttlMs], [1, 500]);
  });

  it("tells the client of few different lives, and of none that is much longer than it is", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ttlMs, part) => {
          const waited = ttlMs * part;
          const left = lifeLeftMs(ttlMs, waited);
          assert.ok(left <= ttlMs && left >= Math.min(ttlMs, ttlMs - waited) - 1e-6);
          assert.ok(left <= Math.max(0, ttlMs - waited) + Math.max(100, ttlMs / 32));
        },
      ),
    );
    const lives = new Set(Array.from({ length: 60_000 }, (_, at) => lifeLeftMs(60_000, at)));
    assert.ok(lives.size <= 33, String(lives.size));
  });

  it("leaves it to the configuration how long a message lives for which the node sets no limit", async () => {
    const { clock, submit, sent } = setUp();
    submit("a");
    await clock.advance(0);
    assert.ok(!("ttlMs" in (sent[0]?.options ?? {})));
  });

  it("keeps only the latest message of a portal, those of msg.items among them", async () => {
    const { clock, outbox, submit, payloads, ends } = setUp({ delivery: "latest", queueMax: 2 });
    outbox.hold("paused");
    submit("hall1");
    submit("attic1", item("attic1", "attic"));
    submit("hall2");
    submit("cellar", item("cellar", "cellar"));
    submit("both", [...item("hall3"), ...item("attic2", "attic")]);
    await clock.advance(0);
    assert.deepEqual(ends.toSorted(), [
      "attic1 XRTC_SUPERSEDED",
      "cellar XRTC_QUEUE_FULL",
      "hall1 XRTC_SUPERSEDED",
      "hall2 XRTC_SUPERSEDED",
    ]);
    outbox.hold(undefined);
    await clock.advance(0);
    assert.deepEqual(payloads(), ["hall3,attic2"]);
  });

  it("has room for a newer message although the one that it replaces is the client's already", async () => {
    const { clock, submit, payloads, sent, ends } = setUp({ delivery: "latest", queueMax: 1 });
    for (const payload of ["a", "b", "c"]) submit(payload);
    submit("x", item("x", "attic"));
    await clock.advance(0);
    assert.deepEqual([payloads(), ends], [["a", "b", "c"], ["x XRTC_QUEUE_FULL"]]);
    for (const { answer } of sent) answer(STORED);
    await clock.advance(0);
    submit("x", item("x", "attic"));
    await clock.advance(0);
    assert.equal(payloads().at(-1), "x");
  });

  it("tells the client level, policy and owner of its messages", async () => {
    const wishes = [];
    for (const delivery of ["every", "latest", "once"] as const) {
      const { clock, submit, sent } = setUp({ delivery, ttlMs: 500 });
      submit("a");
      await clock.advance(0);
      const { level, queue, owner, ttlMs } = sent[0]?.options ?? {};
      wishes.push([level, queue, owner, ttlMs]);
    }
    assert.deepEqual(wishes, [
      ["atLeastOnce", "reject", "o1", 500],
      ["atLeastOnce", "latestOnly", "o1", 500],
      ["atMostOnce", "reject", "o1", 500],
    ]);
  });

  it("gives up at once on closing what was not sent, and what was when the time for answers is over", async () => {
    const { clock, outbox, submit, ends } = setUp({ ttlMs: 60_000 });
    submit("sent");
    await clock.advance(0);
    outbox.hold("paused");
    submit("waits");
    const unfound = outbox.submit(() => later<readonly NewItem[]>().promise).catch(isUnsent);
    const closing = outbox.close();
    await clock.advance(0);
    assert.deepEqual([ends, await unfound], [["waits XRTC_CLOSED"], true]);
    await assert.rejects(
      outbox.submit(() => item("late")),
      refused("XRTC_CLOSED"),
    );
    await clock.advance(DRAIN_MS_MAX);
    await closing;
    assert.deepEqual(ends, ["waits XRTC_CLOSED", "sent XRTC_CLOSED"]);
    assert.deepEqual([outbox.count, clock.timerCount], [0, 0]);
  });
});
