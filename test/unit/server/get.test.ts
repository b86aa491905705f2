import { strict as assert } from "node:assert";
import { BOB, CoreHarness, FIFO, numbered, STREAM, WATCH } from "./core-harness.js";

const MINUTE = 60_000;

describe("a probe at the local server", () => {
  it("answers at once, with nothing when there is nothing", () => {
    const session = new CoreHarness().login();
    const reply = session.get(["P"]);
    assert.equal(reply.text, "{}\n");
    assert.equal(reply.isEnded, true);
  });

  it("gives what is new since the last get, oldest first or newest first", () => {
    const session = new CoreHarness().login();
    session.set("P", "a", "b");
    session.set("P", "c");
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["a", "b", "c"]);
    assert.deepEqual(session.get(["P"], FIFO).payloads, []);
    session.set("P", "d", "e");
    assert.deepEqual(session.get(["P"]).payloads, ["e", "d"]);
    assert.deepEqual(session.get(["P"]).payloads, []);
  });

  it("merges several portals in the order of arrival", () => {
    const session = new CoreHarness().login();
    const items = ["a", "b", "a", "c", "b"].map((portalid, at) => ({ portalid, payload: `${at}` }));
    assert.equal(session.trySet(items).status, 200);
    assert.deepEqual(session.get(["c", "a", "b"], FIFO).payloads, ["0", "1", "2", "3", "4"]);
    assert.equal(session.trySet(items).status, 200);
    assert.deepEqual(session.get(["b", "c"]).payloads, ["4", "3", "1"]);
    assert.deepEqual(session.get(["a"]).payloads, ["2", "0"]);
  });

  it("leaves out what is older than the cutoff", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "old");
    server.clock.advance(1_000);
    session.set("P", "new");
    server.clock.advance(10);
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: 9 }).payloads, []);
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: 10 }).payloads, ["new"]);
  });

  it("brings what an earlier cutoff hid, as long as nothing newer was read", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "old");
    server.clock.advance(1_000);
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: 100 }).payloads, []);
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: -1 }).payloads, ["old"]);
  });

  it("hands an item on under a cutoff of 0 while it is brand-new", () => {
    const session = new CoreHarness().login();
    const watch = session.get(["P"], { ...WATCH, cutoff: 0 });
    session.set("P", "now");
    assert.deepEqual(watch.payloads, ["now"]);
  });

  it("begins at the reference time, whatever the position, and goes on from there", () => {
    const server = new CoreHarness();
    const session = server.login();
    const times = numbered(4).map((payload) => {
      server.clock.advance(10);
      return session.set("P", payload);
    });
    assert.equal(session.get(["P"], FIFO).payloads.length, 4);
    const since = (servertimestamp: number): string[] =>
      session.get([{ portalid: "P", servertimestamp }], FIFO).payloads;
    assert.deepEqual(since(times[2] as number), ["p3", "p4"]);
    assert.deepEqual(session.get(["P"], FIFO).payloads, []);
    assert.deepEqual(since((times[1] as number) + 1), ["p3", "p4"]);
    assert.deepEqual(since(1), ["p1", "p2", "p3", "p4"]);
    assert.deepEqual(since((times[3] as number) + 1), []);
    assert.deepEqual(since(0), [], "0 is no reference");
  });

  it("passes over what lies before the reference time although the session has not read it", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "a");
    server.clock.advance(10);
    const reference = session.set("P", "b");
    const get = session.get([{ portalid: "P", servertimestamp: reference }], FIFO);
    assert.deepEqual(get.payloads, ["b"]);
    session.set("P", "c");
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["c"]);
  });

  it("applies a reference time that lies ahead to what comes while it is open", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "before");
    const ahead = server.clock.wallNow() + 1_000;
    const stream = session.get([{ portalid: "P", servertimestamp: ahead }], STREAM);
    session.set("P", "early");
    server.clock.advance(1_000);
    session.set("P", "due");
    assert.deepEqual(stream.payloads, ["due"]);
  });

  it("gives the latest item of every portal for [] and null, and moves no position", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("a", "1", "2");
    session.set("b", "3");
    session.set("a", "4");
    for (const portals of [[], null, undefined]) {
      const options = { mode: "stream", schedule: "FIFO", cutoff: 0 };
      server.clock.advance(5);
      const reply = session.send("/v1/item/get", { portals, ...options });
      assert.equal(reply.isEnded, true);
      assert.deepEqual(reply.payloads, ["4", "3"]);
    }
    assert.deepEqual(session.get(["a"], FIFO).payloads, ["1", "2", "4"]);
    assert.deepEqual(session.get([]).payloads, ["4", "3"]);
  });

  it("leaves expired items out, however they are asked for", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "old");
    for (let minute = 0; minute < 60; minute += 1) {
      server.clock.advance(MINUTE);
      assert.deepEqual(session.get([]).payloads, ["old"]);
    }
    server.clock.advance(1);
    assert.deepEqual(session.get([]).payloads, []);
    assert.deepEqual(session.get(["P"]).payloads, []);
    assert.deepEqual(session.get([{ portalid: "P", servertimestamp: 1 }]).payloads, []);
  });

  it("lets each session read for itself", () => {
    const server = new CoreHarness();
    const first = server.login();
    first.set("P", "a");
    assert.deepEqual(first.get(["P"]).payloads, ["a"]);
    server.clock.advance(5_000);
    assert.deepEqual(server.login().get(["P"]).payloads, ["a"]);
  });

  it("shows nothing of another account, not even that a portal is there (A11)", () => {
    const server = new CoreHarness();
    const alice = server.login();
    const bob = server.login(BOB);
    const watch = bob.get(["P"], WATCH);
    alice.set("P", "secret");
    assert.equal(watch.text, "");
    assert.equal(bob.get(["P"]).text, "{}\n");
    assert.equal(bob.get([]).text, "{}\n");
    bob.set("P", "own");
    assert.deepEqual(alice.get([]).payloads, ["secret"]);
    assert.deepEqual(bob.get([]).payloads, ["own"]);
  });
});

describe("a watch at the local server", () => {
  it("answers at once when there is something", () => {
    const session = new CoreHarness().login();
    session.set("P", "a");
    const reply = session.get(["Q", "P"], WATCH);
    assert.deepEqual(reply.payloads, ["a"]);
    assert.equal(reply.isEnded, true);
  });

  it("answers with the first thing that comes in any of its portals, before the set is answered", () => {
    const session = new CoreHarness().login();
    const watch = session.get(["P", "Q"], WATCH);
    assert.equal(watch.status, 0);
    session.set("R", "elsewhere");
    assert.equal(watch.status, 0);
    session.set("Q", "a", "b");
    assert.deepEqual(watch.payloads, ["a", "b"]);
    assert.equal(watch.isEnded, true);
  });

  it("answers {} after the get timeout, not before", () => {
    const server = new CoreHarness();
    const watch = server.login().get(["P"], WATCH);
    server.clock.advance(4_999);
    assert.equal(watch.isEnded, false);
    server.clock.advance(1);
    assert.equal(watch.text, "{}\n");
    assert.equal(server.core.stats.waitingGets, 0);
  });

  it("is forgotten when its client goes away, and takes nothing then", () => {
    const server = new CoreHarness();
    const session = server.login();
    const watch = session.get(["P"], WATCH);
    assert.equal(server.core.stats.waitingGets, 1);
    watch.leave();
    assert.equal(server.core.stats.waitingGets, 0);
    session.set("P", "a");
    assert.equal(watch.text, "");
    assert.deepEqual(session.get(["P"]).payloads, ["a"]);
  });

  it("waits on when all that comes is left out by its cutoff or its reference time", () => {
    const server = new CoreHarness();
    const session = server.login();
    const servertimestamp = server.clock.wallNow() + MINUTE;
    const watch = session.get([{ portalid: "P", servertimestamp }], WATCH);
    session.set("P", "a");
    assert.equal(watch.status, 0);
  });
});

describe("a stream at the local server", () => {
  it("sends its head at once and a line for each set while it is open", () => {
    const server = new CoreHarness();
    const session = server.login();
    const stream = session.get(["P"], STREAM);
    assert.equal(stream.status, 200);
    assert.equal(stream.isFlushed, true);
    session.set("P", "a", "b");
    assert.deepEqual(stream.payloads, ["a", "b"]);
    session.set("P", "c");
    assert.deepEqual(
      stream.lines.map(({ items }) => items?.length),
      [2, 1],
    );
    assert.equal(stream.isEnded, false);
    server.clock.advance(5_000);
    assert.equal(stream.isEnded, true);
    assert.equal(stream.lines.length, 2, "no {} after something was delivered");
    assert.equal(stream.text.includes("\n\n"), false);
  });

  it("ends with {} when it delivered nothing at all", () => {
    const server = new CoreHarness();
    const stream = server.login().get(["P"], STREAM);
    server.clock.advance(5_000);
    assert.equal(stream.text, "{}\n");
  });

  it("makes one line of items that one set put into several of its portals", () => {
    const session = new CoreHarness().login();
    const stream = session.get(["P", "Q"], STREAM);
    const items = ["P", "Q", "P"].map((portalid, at) => ({ portalid, payload: `${at}` }));
    session.trySet(items);
    assert.deepEqual(stream.payloads, ["0", "1", "2"]);
    assert.equal(stream.lines.length, 1);
  });

  it("starts with the backlog in as many lines as it takes", () => {
    const session = new CoreHarness({ limits: { lineItemsMax: 10 } }).login();
    session.set("P", ...numbered(25));
    const stream = session.get(["P"], STREAM);
    assert.deepEqual(
      stream.lines.map(({ items }) => items?.length),
      [10, 10, 5],
    );
    assert.deepEqual(stream.payloads, numbered(25));
  });

  it("leaves items in their ring while its reader does not keep up, and goes on when it does", () => {
    const server = new CoreHarness();
    const session = server.login();
    const stream = session.get(["P"], STREAM);
    stream.keepsUp = false;
    session.set("P", "a");
    session.set("P", "b");
    session.set("P", "c");
    assert.deepEqual(stream.payloads, ["a"]);
    stream.drain();
    assert.deepEqual(stream.payloads, ["a", "b", "c"]);
    assert.equal(stream.lines.length, 2);
  });

  it("does not take what it could not hand on from the next get", () => {
    const server = new CoreHarness();
    const session = server.login();
    const stream = session.get(["P"], STREAM);
    stream.keepsUp = false;
    session.set("P", "a");
    session.set("P", "b");
    server.clock.advance(5_000);
    assert.deepEqual(stream.payloads, ["a"]);
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["b"]);
  });

  it("shares the session's position with others: each item goes to the latest comer that takes it", () => {
    const session = new CoreHarness().login();
    const old = session.get(["P"], STREAM);
    const young = session.get(["P"], STREAM);
    session.set("P", "a");
    assert.deepEqual([old.payloads, young.payloads], [[], ["a"]]);
    young.keepsUp = false;
    session.set("P", "b");
    session.set("P", "c");
    assert.deepEqual([old.payloads, young.payloads], [["c"], ["a", "b"]]);
    young.leave();
    session.set("P", "d");
    assert.deepEqual(old.payloads, ["c", "d"]);
  });

  it("delivers newest first within a line under LIFO", () => {
    const session = new CoreHarness().login();
    session.set("P", "a", "b");
    const stream = session.get(["P"], { mode: "stream" });
    session.set("P", "c", "d");
    assert.deepEqual(stream.payloads, ["b", "a", "d", "c"]);
  });

  it("shares one Buffer for an item among all its readers", () => {
    const server = new CoreHarness({ limits: { loginIntervalMsMin: 0 } });
    const streams = numbered(5).map(() => server.login().get(["P"], STREAM));
    server.login().set("P", "a", "b");
    const buffers = new Set(streams.map(({ writes }) => writes[0]));
    assert.equal(buffers.size, 1);
  });
});

describe("a thousand waiters on one portal (V13)", () => {
  it("are each woken once by one set, and leave no timer behind", () => {
    const limits = { loginIntervalMsMin: 0, requestsPerSecondMax: 10_000 };
    const server = new CoreHarness({ limits });
    const watches = numbered(1_000).map(() => server.login().get(["P"], WATCH));
    const elsewhere = server.login().get(["Q"], WATCH);
    assert.equal(server.core.stats.waitingGets, 1_001);
    // One for the gets, one for the sessions; not one for each.
    assert.ok(server.clock.pending <= 3, `${server.clock.pending} timers`);
    server.login().set("P", "a");
    for (const watch of watches) assert.deepEqual(watch.payloads, ["a"]);
    assert.equal(elsewhere.status, 0);
    assert.equal(server.core.stats.waitingGets, 1);
    assert.equal(server.core.stats.itemsDelivered, 1_000);
    void server.core.close();
    assert.equal(server.clock.pending, 0);
  });
});

describe("the calendar of the local server's machine (C1)", () => {
  it("may step back an hour: timestamps stand still, nothing is lost", () => {
    const server = new CoreHarness();
    const session = server.login();
    const before = session.set("P", "a");
    server.clock.stepWall(-3_600_000);
    assert.equal(session.set("P", "b"), before);
    assert.equal(session.set("Q", "c"), server.clock.wallNow());
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: 10 }).payloads, ["a", "b"]);
    const again = session.get([{ portalid: "P", servertimestamp: before }], FIFO);
    assert.deepEqual(again.payloads, ["a", "b"]);
  });

  it("may step on an hour: nothing expires by that", () => {
    const server = new CoreHarness();
    const session = server.login();
    session.set("P", "a");
    server.clock.stepWall(7_200_000);
    session.set("P", "b");
    assert.deepEqual(session.get(["P"], { ...FIFO, cutoff: 10 }).payloads, ["a", "b"]);
    assert.equal(session.get([]).status, 200);
  });

  it("may go back with every item: each portal's timestamps never do", () => {
    const server = new CoreHarness();
    const session = server.login();
    const stream = session.get(["P"], STREAM);
    for (const payload of numbered(100)) {
      server.clock.stepWall(-1);
      session.set("P", payload);
    }
    const times = stream.lines.flatMap(({ items = [] }) => items.map((i) => i.servertimestamp));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.deepEqual(stream.payloads, numbered(100));
  });
});
