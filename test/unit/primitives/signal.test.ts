import { strict as assert } from "node:assert";
import { getEventListeners } from "node:events";
import { abortable, Deadline } from "../../../src/primitives/deadline.js";
import { Abort } from "../../../src/primitives/signal.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const REASON = new Error("given up");

const listenersOf = (parent: AbortSignal): number => getEventListeners(parent, "abort").length;

describe("an abort", () => {
  it("tells its listeners once each, in the order in which they came", () => {
    const abort = new Abort();
    const told: string[] = [];
    for (const name of ["a", "b", "c"]) abort.addEventListener("abort", () => told.push(name));
    abort.abort(REASON);
    abort.abort(new Error("again"));
    assert.deepEqual(told, ["a", "b", "c"]);
  });

  it("keeps the order when the first listener goes and another comes", () => {
    const abort = new Abort();
    const told: string[] = [];
    const listener = (name: string) => (): void => void told.push(name);
    const [a, b, c] = [listener("a"), listener("b"), listener("c")];
    for (const each of [a, b]) abort.addEventListener("abort", each);
    abort.removeEventListener("abort", a);
    abort.addEventListener("abort", c);
    abort.abort(REASON);
    assert.deepEqual(told, ["b", "c"]);
  });

  it("tells a listener that was added twice once", () => {
    const abort = new Abort();
    const told: string[] = [];
    const listener = (): void => void told.push("a");
    const other = (): void => void told.push("b");
    for (const each of [listener, other, listener, other]) abort.addEventListener("abort", each);
    abort.abort(REASON);
    assert.deepEqual(told, ["a", "b"]);
  });

  it("keeps its first reason, and throws it when asked", () => {
    const abort = new Abort();
    abort.throwIfAborted();
    assert.equal(abort.aborted, false);
    assert.equal(abort.reason, undefined);
    abort.abort(REASON);
    abort.abort(new Error("again"));
    assert.equal(abort.aborted, true);
    assert.equal(abort.reason, REASON);
    assert.throws(
      () => abort.throwIfAborted(),
      (thrown) => thrown === REASON,
    );
  });

  it("shows its listeners that it is aborted already, with the reason", () => {
    const abort = new Abort();
    const seen: unknown[] = [];
    abort.addEventListener("abort", () => seen.push(abort.aborted, abort.reason));
    abort.abort(REASON);
    assert.deepEqual(seen, [true, REASON]);
  });

  it("does not tell a listener that comes after it, or while it tells the others", () => {
    const abort = new Abort();
    const late = (): void => assert.fail(`came too late: ${String(abort.reason)}`);
    abort.addEventListener("abort", () => abort.addEventListener("abort", late));
    abort.addEventListener("abort", () => undefined);
    abort.abort(REASON);
    abort.addEventListener("abort", late);
    abort.abort(REASON);
  });

  it("does not tell a listener that was taken out, be it by one before it", () => {
    const abort = new Abort();
    const told: string[] = [];
    const gone = (): void => assert.fail(`was taken out: ${told.join(" ")}`);
    abort.addEventListener("abort", gone);
    abort.removeEventListener("abort", gone);
    abort.removeEventListener("abort", gone);
    abort.addEventListener("abort", () => {
      told.push("a");
      abort.removeEventListener("abort", gone);
    });
    abort.addEventListener("abort", gone);
    abort.addEventListener("abort", () => told.push("b"));
    abort.abort(REASON);
    assert.deepEqual(told, ["a", "b"]);
  });
});

describe("a deadline", () => {
  it("follows its parent, and lets go of it", () => {
    const clock = new VirtualClock();
    const parent = new AbortController();
    const deadline = new Deadline(clock, parent.signal);
    deadline.set(1_000, () => new Error("late"));
    assert.equal(listenersOf(parent.signal), 1);
    parent.abort(REASON);
    assert.equal(deadline.signal.reason, REASON);
    assert.equal(listenersOf(parent.signal), 0);
    assert.equal(clock.timerCount, 0);
  });

  it("leaves no listener and no timer behind when it is disposed of", () => {
    const clock = new VirtualClock();
    const parent = new AbortController();
    const deadline = new Deadline(clock, parent.signal);
    deadline.set(1_000, () => new Error("late"));
    deadline.dispose();
    assert.equal(listenersOf(parent.signal), 0);
    assert.equal(clock.timerCount, 0);
    parent.abort(REASON);
    assert.equal(deadline.signal.aborted, false);
  });

  it("lets go of its parent when its time is over", async () => {
    const clock = new VirtualClock();
    const parent = new AbortController();
    const deadline = new Deadline(clock, parent.signal);
    deadline.set(1_000, () => REASON);
    await clock.advance(1_000);
    assert.equal(deadline.signal.reason, REASON);
    assert.equal(listenersOf(parent.signal), 0);
  });

  it("of a parent that is aborted is aborted from the start", () => {
    const parent = AbortSignal.abort(REASON);
    const deadline = new Deadline(new VirtualClock(), parent);
    assert.equal(deadline.signal.reason, REASON);
    assert.equal(listenersOf(parent), 0);
  });

  it("holds a promise to a signal, and lets go of that when it is settled", async () => {
    const parent = new AbortController();
    assert.equal(await abortable(Promise.resolve("done"), parent.signal), "done");
    await assert.rejects(abortable(Promise.reject(REASON), parent.signal), REASON);
    assert.equal(listenersOf(parent.signal), 0);
    const waiting = abortable(new Promise(() => undefined), parent.signal);
    parent.abort(REASON);
    await assert.rejects(waiting, REASON);
    assert.equal(listenersOf(parent.signal), 0);
  });
});
