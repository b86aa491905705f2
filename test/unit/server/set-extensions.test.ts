import { strict as assert } from "node:assert";
import {
  CoreHarness,
  FIFO,
  numbered,
  type RecordedReply,
  type SessionHarness,
} from "./core-harness.js";

const REFUSED = [400, 6, 30];
const USED = [409, 6, 30];
const LATE = [400, 2, 400];
const item = (payload: string, portalid = "P"): object => ({ portalid, payload });
const keyed = (key: string): Record<string, string> => ({ "idempotency-key": key });
const ordered = (number: number | string, producer = "A"): Record<string, string> => ({
  "xrtc-producer": producer,
  "xrtc-sequence": String(number),
});

const stored = (session: SessionHarness): string[] =>
  session.get([{ portalid: "P", servertimestamp: 1 }], FIFO).payloads;

describe("an Idempotency-Key at the local server", () => {
  it("gets the original answer when it comes again with the same body", () => {
    const server = new CoreHarness();
    const session = server.login();
    const first = session.trySet([item("a")], keyed("k"));
    server.clock.advance(1_000);
    const second = session.trySet([item("a")], keyed("k"));
    assert.equal(second.text, first.text);
    assert.deepEqual(stored(session), ["a"]);
  });

  it("is known to a later session of the account", () => {
    const server = new CoreHarness();
    const first = server.login().trySet([item("a")], keyed("k"));
    server.clock.advance(5_000);
    const session = server.login();
    assert.equal(session.trySet([item("a")], keyed("k")).text, first.text);
    assert.deepEqual(stored(session), ["a"]);
  });

  it("with another body is refused, and stores nothing", () => {
    const session = new CoreHarness().login();
    session.trySet([item("a")], keyed("k"));
    assert.deepEqual(session.trySet([item("b")], keyed("k")).refusal, REFUSED);
    assert.deepEqual(stored(session), ["a"]);
  });

  it("remembers a refusal for its content, too, but not one that may pass", () => {
    const server = new CoreHarness({ limits: { requestsPerSecondMax: 2 } });
    const session = server.login();
    const bad = session.trySet([{ portalid: "no!", payload: "x" }], keyed("bad"));
    assert.equal(session.trySet([item("a")], keyed("k")).status, 429);
    server.clock.advance(1_000);
    assert.equal(session.trySet([{ portalid: "no!", payload: "x" }], keyed("bad")).text, bad.text);
    assert.equal(session.trySet([item("a")], keyed("k")).status, 200);
  });

  it("is forgotten after two minutes", () => {
    const server = new CoreHarness({ limits: { sessionIdleMsMax: 1_000_000 } });
    const session = server.login();
    session.trySet([item("a")], keyed("k"));
    server.clock.advance(119_999);
    session.trySet([item("a")], keyed("k"));
    server.clock.advance(1);
    session.trySet([item("a")], keyed("k"));
    assert.deepEqual(stored(session), ["a", "a"]);
  });

  it("gives way to newer ones when there are too many", () => {
    const session = new CoreHarness({ bounds: { idempotencyKeysMax: 3 } }).login();
    for (const key of ["1", "2", "3", "4"]) session.trySet([item(key)], keyed(key));
    session.trySet([item("4")], keyed("4"));
    session.trySet([item("1")], keyed("1"));
    assert.deepEqual(stored(session), ["1", "2", "3", "4", "1"]);
  });

  it("is refused when it is too long, and means nothing where the extension is off", () => {
    const session = new CoreHarness().login();
    assert.deepEqual(session.trySet([item("a")], keyed("k".repeat(256))).refusal, REFUSED);
    assert.deepEqual(session.trySet([item("a")], keyed("")).refusal, REFUSED);
    const hosted = new CoreHarness({ preset: "hosted" }).login();
    for (const payload of ["a", "a", "b"]) {
      assert.equal(hosted.trySet([item(payload)], keyed("k")).status, 200);
    }
    assert.deepEqual(stored(hosted), ["a", "a", "b"]);
  });
});

describe("ordered sets at the local server", () => {
  it("are applied in their order, however they arrive", () => {
    const session = new CoreHarness().login();
    const replies = [3, 2, 5, 1, 4].map((number): readonly [number, RecordedReply] => [
      number,
      session.trySet([item(`p${number}`)], ordered(number)),
    ]);
    for (const [number, reply] of replies) assert.equal(reply.status, 200, `${number}`);
    assert.deepEqual(stored(session), numbered(5));
  });

  it("wait when the first that comes is not the first", () => {
    const session = new CoreHarness().login();
    const second = session.trySet([item("2")], ordered(2));
    assert.equal(second.status, 0);
    assert.deepEqual(stored(session), []);
    session.trySet([item("1")], ordered(1));
    assert.equal(second.status, 200);
  });

  it("are refused, to be sent again, when their predecessors do not come within a second", () => {
    const server = new CoreHarness();
    const session = server.login();
    const second = session.trySet([item("2")], ordered(2));
    server.clock.advance(999);
    assert.equal(second.status, 0);
    server.clock.advance(1);
    assert.deepEqual(second.refusal, LATE);
    session.trySet([item("1")], ordered(1));
    assert.deepEqual(stored(session), ["1"]);
    assert.equal(session.trySet([item("2")], ordered(2)).status, 200);
    assert.deepEqual(stored(session), ["1", "2"]);
  });

  it("give the original answer to a number that was applied, where its key is known", () => {
    const session = new CoreHarness().login();
    const headers = { ...ordered(1), ...keyed("k") };
    const first = session.trySet([item("1")], headers);
    assert.equal(session.trySet([item("1")], headers).text, first.text);
    assert.deepEqual(session.trySet([item("1")], ordered(1)).refusal, USED);
    assert.deepEqual(session.trySet([item("x")], { ...ordered(1), ...keyed("k2") }).refusal, USED);
    assert.deepEqual(stored(session), ["1"]);
  });

  it("give the same answer to a repeat that waits beside the original", () => {
    const session = new CoreHarness().login();
    const headers = { ...ordered(2), ...keyed("k") };
    const [once, again] = [
      session.trySet([item("2")], headers),
      session.trySet([item("2")], headers),
    ];
    session.trySet([item("1")], ordered(1));
    assert.equal(once.status, 200);
    assert.equal(again.text, once.text);
    assert.deepEqual(stored(session), ["1", "2"]);
  });

  it("do not use a number up when the set is refused for its content, and turn away those that wait for it", () => {
    const session = new CoreHarness().login();
    const third = session.trySet([item("3")], ordered(3));
    assert.equal(session.trySet([item("1")], ordered(1)).status, 200);
    assert.deepEqual(session.trySet([item("2", "no!")], ordered(2)).refusal, REFUSED);
    assert.deepEqual(third.refusal, LATE);
    // Nothing waits for one that was refused, whenever it comes.
    assert.deepEqual(session.trySet([item("4")], ordered(4)).refusal, LATE);
    assert.deepEqual(stored(session), ["1"]);
    assert.equal(session.trySet([item("2")], ordered(2)).status, 200);
    const fourth = session.trySet([item("4")], ordered(4));
    assert.equal(session.trySet([item("3")], ordered(3)).status, 200);
    assert.equal(fourth.status, 200);
    assert.deepEqual(stored(session), ["1", "2", "3", "4"]);
  });

  it("give the same refusal to a repeat that waits beside the original", () => {
    const session = new CoreHarness().login();
    const bad = (): RecordedReply =>
      session.trySet([item("2", "no!")], { ...ordered(2), ...keyed("k") });
    const [once, again] = [bad(), bad()];
    session.trySet([item("1")], ordered(1));
    assert.deepEqual(once.refusal, REFUSED);
    assert.equal(again.text, once.text);
  });

  it("use a number up when an earlier session has applied the set under its key", () => {
    const server = new CoreHarness();
    const first = server.login().trySet([item("1")], { ...ordered(9), ...keyed("k") });
    assert.equal(first.status, 0);
    const other = server.core.stats.itemsSet;
    server.clock.advance(5_000);
    const session = server.login();
    const applied = session.trySet([item("1")], keyed("k"));
    assert.equal(other, 0);
    assert.equal(session.trySet([item("1")], { ...ordered(1), ...keyed("k") }).text, applied.text);
    assert.equal(session.trySet([item("2")], ordered(2)).status, 200);
    assert.deepEqual(stored(session), ["1", "2"]);
  });

  it("keep a number that was turned away by a rate limit for the next attempt", () => {
    const server = new CoreHarness({ limits: { requestsPerSecondMax: 2 } });
    const session = server.login();
    session.trySet([item("1")], ordered(1));
    assert.equal(session.trySet([item("2")], ordered(2)).status, 429);
    server.clock.advance(1_000);
    assert.equal(session.trySet([item("2")], ordered(2)).status, 200);
  });

  it("keep a number whose items could not be stored for the next attempt", () => {
    const session = new CoreHarness({ bounds: { storedBytesMax: 2_000 } }).login();
    const second = session.trySet([item("2")], ordered(2));
    const failed = session.trySet([item("x".repeat(3_000))], { ...ordered(1), ...keyed("k") });
    assert.deepEqual(failed.refusal, [503, 2, 503]);
    assert.equal(second.status, 0);
    assert.equal(session.trySet([item("1")], { ...ordered(1), ...keyed("k") }).status, 200);
    assert.equal(second.status, 200);
    assert.deepEqual(stored(session), ["1", "2"]);
  });

  it("are counted for each producer and each session alone", () => {
    const server = new CoreHarness();
    const session = server.login();
    assert.equal(session.trySet([item("a")], ordered(1, "A")).status, 200);
    assert.equal(session.trySet([item("b")], ordered(1, "B")).status, 200);
    server.clock.advance(5_000);
    assert.equal(server.login().trySet([item("c")], ordered(1, "A")).status, 200);
  });

  it("are bounded in how many may wait", () => {
    const session = new CoreHarness({ bounds: { earlySetsPerSessionMax: 2 } }).login();
    const early = [2, 3].map((number) => session.trySet([item(`${number}`)], ordered(number)));
    assert.deepEqual(session.trySet([item("4")], ordered(4)).refusal, LATE);
    session.trySet([item("1")], ordered(1));
    for (const reply of early) assert.equal(reply.status, 200);
  });

  it("may come of ever new producers: the one that rested longest is forgotten, none that waits", () => {
    const session = new CoreHarness({ bounds: { producersPerSessionMax: 3 } }).login();
    const early = session.trySet([item("2")], ordered(2, "waits"));
    for (const producer of ["B", "C", "B", "D"]) {
      const number = producer === "B" && stored(session).includes("B1") ? 2 : 1;
      const reply = session.trySet([item(`${producer}${number}`)], ordered(number, producer));
      assert.equal(reply.status, 200, producer);
    }
    // C went for D; B, used after it, is still known.
    assert.equal(session.trySet([item("B3")], ordered(3, "B")).status, 200);
    session.trySet([item("1")], ordered(1, "waits"));
    assert.equal(early.status, 200);
  });

  it("are refused, to be sent again, where every producer has sets that wait", () => {
    const session = new CoreHarness({ bounds: { producersPerSessionMax: 1 } }).login();
    session.trySet([item("2")], ordered(2, "A"));
    assert.deepEqual(session.trySet([item("1")], ordered(1, "B")).refusal, LATE);
    session.trySet([item("1")], ordered(1, "A"));
    assert.equal(session.trySet([item("1")], ordered(1, "B")).status, 200);
  });

  it("are turned away, not forgotten, when the server closes", () => {
    const server = new CoreHarness();
    const early = server.login().trySet([item("2")], ordered(2));
    void server.core.close();
    assert.deepEqual(early.refusal, LATE);
    assert.equal(server.clock.pending, 0);
  });

  it("are refused for headers that cannot be read, and ordinary sets where the extension is off", () => {
    const session = new CoreHarness().login();
    for (const number of ["0", "-1", "1.5", "x", "01", "", "9".repeat(16)]) {
      assert.deepEqual(session.trySet([item("a")], ordered(number)).refusal, REFUSED, number);
    }
    assert.deepEqual(session.trySet([item("a")], ordered(1, "p".repeat(65))).refusal, REFUSED);
    assert.deepEqual(session.trySet([item("a")], { "xrtc-producer": "A" }).refusal, REFUSED);
    assert.deepEqual(session.trySet([item("a")], { "xrtc-sequence": "1" }).refusal, REFUSED);
    const hosted = new CoreHarness({ preset: "hosted" }).login();
    assert.equal(hosted.trySet([item("a")], ordered(7)).status, 200);
  });

  it("may wait by the hundred and are then applied in one go", () => {
    const session = new CoreHarness().login();
    for (let number = 200; number >= 1; number -= 1) {
      session.trySet([item(`p${number}`)], ordered(number));
    }
    assert.deepEqual(stored(session), numbered(200));
  });
});
