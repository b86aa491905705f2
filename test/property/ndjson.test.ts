import assert from "node:assert/strict";
import * as fc from "fast-check";
import { decodeLine, encodeReceivedItem } from "../../src/protocol/codec.js";
import { wireItem } from "../../src/protocol/schemas.js";
import { LineSplitter, LineTooLongError } from "../../src/protocol/ndjson.js";

/** The lines that come out of these chunks, the rest as the last of them. */
function split(chunks: readonly Uint8Array[], lineBytesMax = 1_000_000): string[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines = chunks.flatMap((chunk) => splitter.push(chunk));
  return [...lines, splitter.rest()].map((line) => Buffer.from(line).toString("latin1"));
}

/** The same bytes cut at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe("Lines", () => {
  it("are the same wherever the chunks end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("\n"), fc.constant("\r\n"))),
        fc.array(fc.nat(10_000)),
        (parts, places) => {
          const bytes = Buffer.from(parts.join(""));
          assert.deepEqual(split(cutAt(bytes, places)), split([bytes]));
          assert.deepEqual(split([bytes]), bytes.toString("latin1").split("\n"));
        },
      ),
    );
  });

  it("longer than the bound are refused, however they arrive", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(500)), (length, places) => {
        const bytes = Buffer.from(`${"x".repeat(length)}\n`);
        const act = (): string[] => split(cutAt(bytes, places), 100);
        if (length > 100) assert.throws(act, LineTooLongError);
        else assert.deepEqual(act(), ["x".repeat(length), ""]);
      }),
    );
  });
});

const portalId = fc.stringMatching(/^[A-Za-z0-9]{1,32}$/);
const goodItem = fc.record({
  portalid: portalId,
  payload: fc.string({ unit: "binary" }),
  servertimestamp: fc.nat(),
});

describe("A received item", () => {
  it("survives being written by the server and read by the client", () => {
    fc.assert(
      fc.property(goodItem, fc.option(fc.integer({ min: 1, max: 2 ** 40 })), (wire, seq) => {
        const { portalid, payload, servertimestamp } = wire;
        const item = { portalId: portalid, payload, serverTimestamp: servertimestamp };
        const numbered = seq === null ? item : { ...item, seq };
        const line = Buffer.from(`{"items":[${encodeReceivedItem(numbered, true)}]}`);
        assert.deepEqual(decodeLine(line)?.items, [numbered]);
      }),
    );
  });

  it("is taken by the quick check exactly when the schema takes it", () => {
    const anything = fc.oneof(
      goodItem,
      fc.jsonValue({ maxDepth: 2 }),
      fc.record(
        {
          portalid: fc.oneof(portalId, fc.string(), fc.integer()),
          payload: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
          servertimestamp: fc.oneof(fc.integer(), fc.double(), fc.string()),
          seq: fc.oneof(fc.integer({ min: -2, max: 5 }), fc.double(), fc.constant(null)),
          more: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anything, (candidate) => {
        const wire: unknown = JSON.parse(JSON.stringify(candidate));
        const line = decodeLine(Buffer.from(JSON.stringify({ items: [wire] })));
        assert.equal(line?.items.length, wireItem.safeParse(wire).success ? 1 : 0);
        assert.equal((line?.items.length ?? 0) + (line?.malformed.length ?? 0), 1);
      }),
      { numRuns: 1_000 },
    );
  });

  it("changes no prototype, whatever its members are called", () => {
    const text =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"items":[{"__proto__":{"portalid":"p","payload":"x","servertimestamp":1}},{"portalid":"p","payload":"x","servertimestamp":1,"__proto__":{"polluted":1}}]}';
    const line = decodeLine(Buffer.from(text));
    assert.equal(line?.items.length, 1);
    assert.equal(line?.malformed.length, 1);
    const item: object = line?.items[0] ?? assert.fail();
    assert.equal("polluted" in item, false);
    assert.equal("polluted" in {}, false);
  });
});
