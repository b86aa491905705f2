import type { ReceivedLine } from "../protocol/codec.js";
import { LineSplitter } from "../protocol/ndjson.js";
import { RECEIVED_LINE_BYTES_MAX } from "../protocol/limits.js";
import type { Watchdog } from "./watchdog.js";

export interface LinesPorts {
  readonly body: AsyncIterator<Uint8Array>;
  readonly watchdog: Watchdog;
  /** @throws what makes the answer unreadable */
  readonly decode: (line: Uint8Array) => ReceivedLine;
  /** What a failure of the body, or of cutting it into lines, means to the caller. */
  readonly failure: (thrown: unknown) => unknown;
  /** The answer was read to its end. */
  readonly completed: () => void;
  /** It is over, in whatever way; what was not read is given up. */
  readonly ended: () => void;
}

type Result = IteratorResult<ReceivedLine, undefined>;

interface Caller {
  resolve(result: Result): void;
  reject(cause: unknown): void;
}

const DONE: Result = { done: true, value: undefined };

/**
 * The lines of an answer, each when it is complete. Written out, because generators around generators take several
 * turns of the microtask queue for each line, and an item waits through all of them.
 */
export class Lines implements AsyncIterableIterator<ReceivedLine, undefined> {
  readonly #ports: LinesPorts;
  readonly #splitter = new LineSplitter(RECEIVED_LINE_BYTES_MAX);
  /** Lines that came with the last chunk and were not asked for yet. */
  #lines: Uint8Array[] = [];
  #at = 0;
  #caller: Caller | undefined;
  #isWhole = false;
  #isOver = false;

  constructor(ports: LinesPorts) {
    this.#ports = ports;
    ports.watchdog.rest();
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#caller = { resolve, reject };
      this.#serve();
    });
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Answers the caller with the next line, or sees to it that one comes. */
  #serve(): void {
    const caller = this.#caller as Caller;
    try {
      const value = this.#isOver ? undefined : this.#take();
      if (value !== undefined) caller.resolve({ done: false, value });
      else if (this.#isOver) caller.resolve(DONE);
      else if (this.#isWhole) {
        this.#ports.completed();
        this.#end();
        caller.resolve(DONE);
      } else this.#read();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #take(): ReceivedLine | undefined {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] as Uint8Array;
      this.#at += 1;
      if (!isBlank(line)) return this.#ports.decode(line);
    }
    return undefined;
  }

  #read(): void {
    const { body, watchdog } = this.#ports;
    watchdog.wait();
    body.next().then(this.#onChunk, this.#onFailure);
  }

  readonly #onChunk = (chunk: IteratorResult<Uint8Array>): void => {
    this.#ports.watchdog.rest();
    this.#at = 0;
    this.#isWhole = chunk.done === true;
    try {
      // A document may end without a newline; one that was cut does not parse.
      this.#lines =
        chunk.done === true ? [this.#splitter.rest()] : this.#splitter.push(chunk.value);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#serve();
  };

  readonly #onFailure = (thrown: unknown): void => {
    this.#ports.watchdog.rest();
    this.#fail(thrown);
  };

  #fail(thrown: unknown): void {
    const wasOver = this.#isOver;
    this.#end();
    // Whoever left does not hear of what the leaving broke.
    if (wasOver) this.#caller?.resolve(DONE);
    else this.#caller?.reject(this.#ports.failure(thrown));
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lines = [];
    this.#ports.ended();
  }
}

const isBlank = (line: Uint8Array): boolean => line.every((byte) => byte === 0x0d || byte === 0x20);
