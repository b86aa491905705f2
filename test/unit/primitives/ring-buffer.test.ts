import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { RingBuffer } from "../../../src/primitives/ring-buffer.js";

const contents = <T>(ring: RingBuffer<T>): T[] =>
  Array.from({ length: ring.length }, (_, index) => ring.at(index));

describe("a ring buffer", () => {
  it("behaves like an array that is cut to its capacity", () => {
    const commands = fc.array(fc.oneof(fc.nat(), fc.constant("shift" as const)), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), commands, (capacity, list) => {
        const ring = new RingBuffer<number>(capacity);
        const model: number[] = [];
        for (const command of list) {
          if (command === "shift") {
            assert.equal(ring.shift(), model.shift());
          } else {
            model.push(command);
            assert.equal(ring.push(command), model.length > capacity ? model.shift() : undefined);
          }
          assert.deepEqual(contents(ring), model);
        }
      }),
    );
  });

  it("finds the first of the values that satisfy a condition", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(21), (values, from) => {
        const sorted = values.toSorted((a, b) => a - b);
        const ring = new RingBuffer<number>(100);
        for (const value of sorted) ring.push(value);
        const expected = sorted.findIndex((value) => value >= from);
        const found = ring.firstIndex((value) => value >= from);
        assert.equal(found, expected === -1 ? sorted.length : expected);
      }),
    );
  });

  it("refuses places that it does not have, and a capacity of nothing", () => {
    const ring = new RingBuffer<string>(2);
    ring.push("a");
    for (const index of [-1, 1, 2]) assert.throws(() => ring.at(index), RangeError);
    for (const capacity of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => new RingBuffer(capacity), RangeError);
    }
  });
});
