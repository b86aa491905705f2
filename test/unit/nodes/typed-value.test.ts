import assert from "node:assert/strict";
import type { Node, NodeAPI } from "node-red";
import {
  prepareTypedValue,
  READ_MS_MAX,
  type TypedInput,
  type ValueType,
} from "../../../nodes/lib/typed-value.js";
import { isXrtcError } from "../../../src/index.js";
import { VirtualClock } from "../../support/virtual-clock.js";

// The runtime's own, of the line under test.
const { util } = require(process.env["NODE_RED_PKG"] ?? "node-red") as NodeAPI;

type Stored = (key: string, store: string | undefined, callback: Callback) => unknown;
type Callback = (error?: unknown, value?: unknown) => void;

/** A node whose context is what a test says. */
function setUp(stored: Stored = (_key, _store, callback) => callback()) {
  const clock = new VirtualClock();
  const context = { flow: { get: stored }, global: { get: stored } };
  const node = { type: "xrtc-test", context: () => context } as unknown as Node;
  const prepare = (type: ValueType, value: string, field = "portal") =>
    prepareTypedValue({ field, value, type } satisfies TypedInput, { RED: { util }, node, clock });
  return { clock, prepare };
}

const refused = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_OPTIONS") && pattern.test(error.message);

describe("a typed input", () => {
  it("of text is that text, whatever the message is", () => {
    const { prepare } = setUp();
    assert.deepEqual(prepare("str", "hall").read({ payload: 1 }), { value: "hall" });
  });

  it("of a message's property is there in the very call, and nothing where the message has none", () => {
    const { prepare } = setUp();
    const deep = prepare("msg", "room.names[0]");
    assert.deepEqual(deep.read({ room: { names: ["hall"] } }), { value: "hall" });
    assert.deepEqual(deep.read({}), { value: undefined });
    assert.deepEqual(prepare("msg", "topic").read({ topic: "attic" }), { value: "attic" });
  });

  it("of the environment is a variable of the process, in braces, too", () => {
    const { prepare } = setUp();
    process.env["XRTC_TEST_ROOM"] = "hall";
    try {
      assert.deepEqual(prepare("env", "XRTC_TEST_ROOM").read({}), { value: "hall" });
      assert.deepEqual(prepare("env", "${XRTC_TEST_ROOM}2").read({}), { value: "hall2" });
    } finally {
      delete process.env["XRTC_TEST_ROOM"];
    }
    assert.deepEqual(prepare("env", "XRTC_TEST_ROOM").read({}), { value: "" });
  });

  it("of the context comes from the store that it names, at once where the store is quick", () => {
    const asked: unknown[] = [];
    const { clock, prepare } = setUp((key, store, callback) => {
      asked.push([key, store]);
      callback(undefined, "hall");
    });
    assert.deepEqual(prepare("flow", "room").read({}), { value: "hall" });
    assert.deepEqual(prepare("global", "#:(file)::room").read({}), { value: "hall" });
    assert.deepEqual(asked, [
      ["room", undefined],
      ["room", "file"],
    ]);
    assert.equal(clock.timerCount, 0);
  });

  it("of a store that takes its time comes later, and leaves no timer", async () => {
    const callbacks: Callback[] = [];
    const { clock, prepare } = setUp((_key, _store, callback) => callbacks.push(callback));
    const reading = prepare("flow", "room").read({});
    assert.ok(reading instanceof Promise);
    callbacks[0]?.(undefined, "hall");
    callbacks[0]?.(new Error("twice"));
    assert.deepEqual(await reading, { value: "hall" });
    assert.equal(clock.timerCount, 0);
  });

  it("of a store that never answers is given up", async () => {
    const { clock, prepare } = setUp(() => undefined);
    const reading = assert.rejects(
      Promise.resolve(prepare("global", "room").read({})),
      refused(/^global\.room: no value within 10 s$/),
    );
    await clock.advance(READ_MS_MAX);
    await reading;
    assert.equal(clock.timerCount, 0);
  });

  it("of a store that fails says so with the store's own error as its cause", async () => {
    const cause = new Error("disk");
    const failing = setUp((_key, _store, callback) => callback(cause)).prepare("flow", "room");
    assert.throws(
      () => failing.read({}),
      (error) => refused(/^flow\.room: disk$/)(error) && (error as Error).cause === cause,
    );
    const throwing = setUp(() => {
      throw cause;
    }).prepare("flow", "room");
    assert.throws(() => throwing.read({}), refused(/^flow\.room: disk$/));
    const late = setUp((_key, _store, callback) => void setImmediate(callback, cause));
    await assert.rejects(
      Promise.resolve(late.prepare("flow", "room").read({})),
      refused(/^flow\.room: disk$/),
    );
  });

  it("of JSONata is computed from the message and the context, asynchronously", async () => {
    const { prepare } = setUp((_key, _store, callback) => callback(undefined, "hall"));
    assert.deepEqual(await prepare("jsonata", "'room' & number").read({ number: 7 }), {
      value: "room7",
    });
    assert.deepEqual(await prepare("jsonata", "$flowContext('room') & '1'").read({}), {
      value: "hall1",
    });
    assert.deepEqual(await prepare("jsonata", "missing.name").read({}), { value: undefined });
  });

  it("of JSONata that fails for a message says why", async () => {
    const { clock, prepare } = setUp();
    await assert.rejects(
      Promise.resolve(prepare("jsonata", "payload + 1").read({ payload: "x" })),
      refused(/^the expression of the node's portal: The left side of the "\+" operator/),
    );
    assert.equal(clock.timerCount, 0);
  });

  it("that can never be read is refused when it is prepared, with node type and field", () => {
    const { prepare } = setUp();
    const cases: [ValueType, string][] = [
      ["jsonata", "'a' &"],
      ["jsonata", ""],
      ["msg", "a..b"],
      ["msg", ""],
      ["flow", "a["],
      ["global", "#:(file)::"],
      ["env", " "],
    ];
    for (const [type, value] of cases) {
      assert.throws(
        () => prepare(type, value, "portals"),
        refused(/^xrtc-test: portals: ./),
        `${type} ${value}`,
      );
    }
  });

  it("names its place as a user would", () => {
    const { prepare } = setUp();
    const places = [
      prepare("str", "hall"),
      prepare("msg", "msg.room"),
      prepare("flow", "#:(file)::room"),
      prepare("global", "room"),
      prepare("env", "ROOM"),
      prepare("jsonata", "room"),
    ].map(({ place }) => place);
    assert.deepEqual(places, [
      "the node's portal",
      "msg.room",
      "flow.room",
      "global.room",
      "the environment variable ROOM",
      "the expression of the node's portal",
    ]);
  });
});
