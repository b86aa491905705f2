import assert from "node:assert/strict";
import { decodeLine, decodeLogin, decodeSetAnswer } from "../../src/protocol/codec.js";
import { JsonRefusedError } from "../../src/protocol/json.js";
import { LineSplitter, LineTooLongError } from "../../src/protocol/ndjson.js";
import { oneOf, seededRandom, wholeBelow } from "../support/seeded-random.js";

/** How many inputs; a full run has two million. */
const INPUTS = Number(process.env["FUZZ_INPUTS"] ?? 200_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_260_717);
const LINE_BYTES_MAX = 4_096;

const item = (payload: unknown, more: object = {}): object => ({
  portalid: "portal1",
  payload,
  servertimestamp: 1_700_000_000_000,
  ...more,
});

const line = (...items: readonly unknown[]): Buffer =>
  Buffer.from(`${JSON.stringify({ items })}\n`);

/** What the mutations start from: documents as a service writes them, and some as it should not. */
const SAMPLES: readonly [Buffer, ...Buffer[]] = [
  line(item("x", { seq: 7 })),
  line(item('grüße 🌍 \u0000 \\ " \u2028', { seq: 1 }), item("")),
  line(...Array.from({ length: 6 }, (_, at) => item(`${at}`.repeat(40), { seq: at + 1 }))),
  line(item({ deep: [[[1]]] }), item(null), {}, null, 5),
  Buffer.from("{}\n"),
  Buffer.from("\ufeff{}\r\n\r\n\n"),
  Buffer.from('{"items":null,"more":{"__proto__":{"polluted":1}}}\n'),
  Buffer.from('{"error":{"errorgroup":2,"errorcode":10011,"errormessage":"no"}}\n'),
  Buffer.from('{"servertimestamp":1700000000000,"epoch":"e","extensions":["seq","order"]}\n'),
];

const TOKENS: readonly [string, ...string[]] = [
  '{"items":[',
  '"__proto__":',
  '"constructor":{"prototype":{"polluted":1}}',
  "[".repeat(40),
  "[".repeat(3_000),
  '{"a":'.repeat(20),
  "9".repeat(400),
  "1e999",
  "-0",
  "0.1e-400",
  '"\\ud800"',
  "\\u0000",
  '"',
  "\\",
  "\n",
  "\r\n",
  "\ufeff",
  "null",
  ",",
  "]}",
];

type Mutation = (bytes: Buffer, next: () => number) => Buffer;

const flip: Mutation = (bytes, next) => {
  const own = Buffer.from(bytes);
  if (own.length > 0) own[wholeBelow(next, own.length)] = wholeBelow(next, 256);
  return own;
};
const cut: Mutation = (bytes, next) => bytes.subarray(0, wholeBelow(next, bytes.length + 1));
const drop: Mutation = (bytes, next) => {
  const from = wholeBelow(next, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + wholeBelow(next, 9))]);
};
const repeat: Mutation = (bytes, next) => {
  const from = wholeBelow(next, bytes.length + 1);
  const part = bytes.subarray(from, from + wholeBelow(next, 60));
  return Buffer.concat([bytes.subarray(0, from), part, part, bytes.subarray(from)]);
};
const insert: Mutation = (bytes, next) => {
  const at = wholeBelow(next, bytes.length + 1);
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(oneOf(next, TOKENS)),
    bytes.subarray(at),
  ]);
};
const join: Mutation = (bytes, next) => Buffer.concat([bytes, oneOf(next, SAMPLES)]);

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [flip, flip, cut, drop, repeat, insert, join];

function mutated(next: () => number): Buffer {
  let bytes: Buffer = oneOf(next, SAMPLES);
  for (let count = 1 + wholeBelow(next, 3); count > 0; count -= 1) {
    bytes = oneOf(next, MUTATIONS)(bytes, next);
  }
  return bytes;
}

/** Errors that reading is declared to throw. */
const isDeclared = (error: unknown): boolean =>
  error instanceof JsonRefusedError || error instanceof LineTooLongError;

const DECODERS = [decodeLine, decodeLine, decodeLine, decodeLogin, decodeSetAnswer] as const;

/** Reads a line as some document of the service: that gives what is promised, or a declared error. */
function read(bytes: Uint8Array, next: () => number): void {
  try {
    const decoded = oneOf(next, DECODERS)(bytes);
    if (decoded === undefined || typeof decoded === "number" || !("items" in decoded)) return;
    for (const { portalId, payload, serverTimestamp } of decoded.items) {
      if (
        !/^[A-Za-z0-9]{1,32}$/.test(portalId) ||
        typeof payload !== "string" ||
        !Number.isSafeInteger(serverTimestamp)
      ) {
        assert.fail("an item was let through that is none");
      }
    }
  } catch (error) {
    if (!isDeclared(error)) throw error;
  }
}

function feed(bytes: Buffer, next: () => number): void {
  const splitter = new LineSplitter(LINE_BYTES_MAX);
  try {
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + wholeBelow(next, bytes.length);
      for (const each of splitter.push(bytes.subarray(at, end))) read(each, next);
      at = end;
    }
    read(splitter.rest(), next);
  } catch (error) {
    if (!isDeclared(error)) throw error;
  }
}

describe("The reader of lines", function () {
  this.timeout(600_000);
  // Most inputs end in an error; looking for where it was made would take most of the time.
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it("takes garbled answers without a crash, a hang or a changed prototype", () => {
    const next = seededRandom(SEED);
    for (let count = 0; count < INPUTS; count += 1) {
      const bytes = mutated(next);
      try {
        feed(bytes, next);
      } catch (error) {
        const input = JSON.stringify(bytes.toString("latin1").slice(0, 500));
        throw new Error(`FUZZ_SEED=${SEED}, input ${count}: ${input}`, { cause: error });
      }
    }
    assert.equal("polluted" in {}, false);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });
});
