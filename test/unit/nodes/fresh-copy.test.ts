import assert from "node:assert/strict";
import { freshCopy } from "../../../nodes/lib/fresh-copy.js";

/** As Node-RED does it: all is new but the bytes of Buffers, and what must not be copied. */
function nodeRedCopy<T>(value: T): T {
  if (Buffer.isBuffer(value)) return value.subarray() as T;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(nodeRedCopy) as T;
  const entries = Object.entries(value).map(([name, member]: [string, unknown]) => [
    name,
    name === "res" ? member : nodeRedCopy(member),
  ]);
  return Object.fromEntries(entries) as T;
}

describe("A fresh copy of a message", () => {
  it("shares no byte of a Buffer with the original, however deep it lies", () => {
    const bytes = Buffer.from("kept");
    const copy = freshCopy({ bytes, a: [{ bytes }] }, nodeRedCopy);
    bytes.fill(0);
    assert.equal(String(copy.bytes), "kept");
    assert.equal(String(copy.a[0]?.bytes), "kept");
  });

  it("leaves connections alone, and comes to an end where an object holds itself", () => {
    const res = { bytes: Buffer.from("shared") };
    const message: { res: object; self?: object } = { res };
    message.self = message;
    const copy = freshCopy(message, ({ res: connection }) => {
      const made: typeof message = { res: connection };
      made.self = made;
      return made;
    });
    assert.equal(copy.res, res);
    assert.equal(copy.self, copy);
  });
});
