import { strict as assert } from "node:assert";
import { Readers } from "../../../src/server/engine/readers.js";
import { stepsOf } from "../../support/steps.js";
import { CoreHarness, FIFO, numbered, type RecordedReply, STREAM, WATCH } from "./core-harness.js";

const LIMITS = { loginIntervalMsMin: 0, requestsPerSecondMax: 100_000, portalsMax: 2_000 };

interface Costs {
  readonly set: number;
  readonly probe: number;
  readonly watch: number;
  readonly wake: number;
  readonly leave: number;
}

/** What calls cost beside so many portals that others set to, and so many readers of those. */
function costsBeside(portals: number, readers: number): Costs {
  const server = new CoreHarness({ limits: LIMITS });
  for (const portal of numbered(portals)) server.login().set(portal, "x");
  const others = numbered(readers, 1).map((_, at) =>
    server.login().get([`p${1 + (at % portals)}`], STREAM),
  );
  const session = server.login();
  session.set("P", "a");
  session.get(["P"]);
  let watch: RecordedReply | undefined;
  const costs = {
    set: stepsOf(() => session.set("P", "b")),
    probe: stepsOf(() => session.get(["P"], FIFO)),
    watch: stepsOf(() => (watch = session.get(["P"], WATCH))),
    wake: stepsOf(() => session.set("P", "c")),
    leave: stepsOf(() => session.get(["P"], STREAM).leave()),
  };
  assert.deepEqual(watch?.payloads, ["c"]);
  assert.ok(others.every(({ payloads }) => payloads.length === 1));
  return costs;
}

/** How many portals a hundred readers of one are told of in all. */
function portalsTold(portalIds: readonly string[]): number {
  const readers = new Readers();
  let told = 0;
  for (const openedAs of numbered(100).keys()) {
    readers.add(["P"], { openedAs, wake: ({ length }) => (told += length) });
  }
  readers.wake(portalIds);
  return told;
}

describe("the local server", () => {
  it("takes no more steps for a set or a get beside a thousand portals and readers not concerned", () => {
    assert.deepEqual(costsBeside(1_000, 1_000), costsBeside(1, 1));
  });

  it("takes the same steps for each reader, whatever else a set touched", () => {
    assert.equal(portalsTold(["P"]), 100);
    assert.equal(portalsTold(["P", ...numbered(500)]), 100);
  });

  it("makes one Buffer of a line, however many readers have it", () => {
    const server = new CoreHarness({ limits: LIMITS });
    const writer = server.login();
    const readers = numbered(50).map(() => server.login());
    const gets = [STREAM, { mode: "stream", schedule: "LIFO" }];
    const streams = readers.map((reader, at) => reader.get(["P", "Q"], gets[at % 2]));
    const each = (): number => {
      const lines = streams.map(({ writes }) => writes.at(-1));
      return new Set(lines).size;
    };
    writer.set("P", "a", "b");
    assert.equal(each(), gets.length);
    writer.set("P", "c");
    assert.equal(each(), 1);
    const both = ["P", "Q"].map((portalid) => ({ portalid, payload: "d" }));
    writer.trySet(both);
    assert.equal(each(), gets.length);
    assert.ok(streams.every(({ payloads }) => payloads.length === 5));
  });

  it("keeps one timer for all gets that wait", () => {
    const server = new CoreHarness({ limits: LIMITS });
    const sessions = numbered(100).map(() => server.login());
    sessions[0]?.get(["P"], WATCH);
    const before = server.clock.pending;
    for (const session of sessions) session.get(["P"], STREAM);
    assert.equal(server.clock.pending, before);
  });
});
