import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { Lines } from "../../../src/client/lines.js";
import { Watchdog } from "../../../src/client/watchdog.js";
import { XrtcError } from "../../../src/errors.js";
import { Deadline } from "../../../src/primitives/deadline.js";
import { decodeLine, type ReceivedLine } from "../../../src/protocol/codec.js";
import { RECEIVED_LINE_BYTES_MAX } from "../../../src/protocol/limits.js";
import { ResponseBody } from "../../../src/transport/response-body.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const SILENCE_MS = 1_000;
const CUT = new Error("the connection was lost");

/** Lines over a body, as the client has them. */
function setUp() {
  const clock = new VirtualClock();
  const deadline = new Deadline(clock);
  const watchdog = new Watchdog(deadline, clock, { silenceMs: SILENCE_MS, totalMs: 60_000 });
  const told: string[] = [];
  const body = new ResponseBody({
    pause: () => told.push("pause"),
    resume: () => told.push("resume"),
    abandon: () => told.push("abandon"),
  });
  watchdog.start();
  const lines = new Lines({
    body,
    watchdog,
    decode: (line) => {
      const decoded = decodeLine(line);
      assert.ok(decoded !== undefined);
      return decoded;
    },
    failure: (cause) => new XrtcError("XRTC_CONNECTION_LOST", "lost", { cause }),
    completed: () => told.push("completed"),
    ended: () => {
      told.push("ended");
      body.discard();
      deadline.dispose();
    },
  });
  return { clock, deadline, body, lines, told };
}

const lineOf = (payload: string): string =>
  JSON.stringify({ items: [{ portalid: "p", payload, servertimestamp: 1 }] });

const payloadsOf = ({ items }: ReceivedLine): string =>
  items.map(({ payload }) => payload).join(",");

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

async function readAll(lines: AsyncIterable<ReceivedLine>): Promise<string[]> {
  const payloads: string[] = [];
  for await (const line of lines) payloads.push(payloadsOf(line));
  return payloads;
}

/** The text's bytes, cut at these places. */
function cut(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text);
  const ends = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  const starts = [0, ...ends];
  return starts.map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
}

describe("The lines of an answer", () => {
  it("are the same wherever the bytes are cut, and with either end of a line", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n", "\n\n", "\n \r\n"),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        async (payloads, newline, places, isAhead) => {
          const { body, lines, told } = setUp();
          const reading = isAhead ? undefined : readAll(lines);
          for (const chunk of cut(payloads.map((each) => lineOf(each) + newline).join(""), places))
            body.push(chunk);
          body.end();
          assert.deepEqual(await (reading ?? readAll(lines)), payloads);
          assert.deepEqual(
            told.filter((each) => each !== "pause" && each !== "resume"),
            ["completed", "ended"],
          );
        },
      ),
    );
  });

  it("end with one that has no newline", async () => {
    const { body, lines, told } = setUp();
    body.push(bytesOf(`${lineOf("a")}\n${lineOf("b")}`));
    body.end();
    assert.deepEqual(await readAll(lines), ["a", "b"]);
    assert.deepEqual(told, ["completed", "ended"]);
  });

  it("are handed on before the answer is whole", async () => {
    const { body, lines } = setUp();
    const first = lines.next();
    body.push(bytesOf(`${lineOf("a")}\n${lineOf("b").slice(0, 9)}`));
    assert.equal(payloadsOf((await first).value as ReceivedLine), "a");
    const second = lines.next();
    body.push(bytesOf(`${lineOf("b").slice(9)}\n`));
    assert.equal(payloadsOf((await second).value as ReceivedLine), "b");
    await lines.return();
  });

  it("that came before the connection broke are read, then the failure, then nothing", async () => {
    const { body, lines, told } = setUp();
    body.push(bytesOf(`${lineOf("a")}\n${lineOf("b")}\n{"ite`));
    body.end(CUT);
    assert.equal(payloadsOf((await lines.next()).value as ReceivedLine), "a");
    assert.equal(payloadsOf((await lines.next()).value as ReceivedLine), "b");
    await assert.rejects(lines.next(), { code: "XRTC_CONNECTION_LOST", cause: CUT });
    assert.deepEqual(told, ["ended"]);
    assert.deepEqual(await lines.next(), { done: true, value: undefined });
  });

  it("cut in the middle of the last one are no whole answer", async () => {
    const { body, lines, told } = setUp();
    body.push(bytesOf(`${lineOf("a")}\n${lineOf("b").slice(0, -1)}`));
    body.end();
    await lines.next();
    await assert.rejects(lines.next(), { code: "XRTC_CONNECTION_LOST" });
    assert.deepEqual(told, ["ended"]);
  });

  it("give the rest of the answer up when the reader leaves", async () => {
    const { clock, body, lines, told } = setUp();
    body.push(bytesOf(`${lineOf("a")}\n${lineOf("b")}\n`));
    for await (const line of lines) {
      assert.equal(payloadsOf(line), "a");
      break;
    }
    assert.deepEqual(told, ["ended", "abandon"]);
    assert.deepEqual(await lines.next(), { done: true, value: undefined });
    assert.equal(clock.timerCount, 0);
  });

  it("end for a reader that waits when another leaves for it", async () => {
    const { clock, lines, told } = setUp();
    const waiting = lines.next();
    await lines.return();
    await lines.return();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.deepEqual(told, ["ended", "abandon"]);
    assert.equal(clock.timerCount, 0);
  });

  it("longer than a line may be are a failure, and nothing more is read", async () => {
    const { body, lines, told } = setUp();
    body.push(new Uint8Array(RECEIVED_LINE_BYTES_MAX + 1).fill(0x20));
    await assert.rejects(lines.next(), { code: "XRTC_CONNECTION_LOST" });
    assert.deepEqual(told, ["ended", "abandon"]);
  });

  it("are watched while the reader waits, and only then", async () => {
    const { clock, deadline, body, lines } = setUp();
    body.push(bytesOf(`${lineOf("a")}\n`));
    await lines.next();
    await clock.advance(10 * SILENCE_MS);
    assert.equal(deadline.signal.aborted, false);
    const failed = assert.rejects(lines.next(), { code: "XRTC_CONNECTION_LOST" });
    deadline.signal.addEventListener("abort", () => body.end(deadline.signal.reason as Error));
    await clock.advance(SILENCE_MS);
    await failed;
    assert.equal((deadline.signal.reason as XrtcError).code, "XRTC_TIMEOUT");
  });
});
