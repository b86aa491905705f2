/** What arrives between one side that pushes chunks and one that reads them, with the brakes in between. */

export interface Brakes {
  pause(): void;
  resume(): void;
  /** The reader has left; nobody wants the rest. */
  abandon(): void;
}

/** Chunks that may wait for the reader before the socket is no longer read. */
const CHUNKS_MAX = 16;

export class ResponseBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #brakes: Brakes;
  #ended = false;
  #error: Error | undefined;
  #paused = false;
  #waiting:
    { resolve(result: IteratorResult<Uint8Array>): void; reject(error: Error): void } | undefined;

  constructor(brakes: Brakes) {
    this.#brakes = brakes;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    if (this.#chunks.length >= CHUNKS_MAX && !this.#paused) {
      this.#paused = true;
      this.#brakes.pause();
    }
  }

  /** The body is complete, or `error` cut it; what came before is still to be read. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (error === undefined) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(error);
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#paused && this.#chunks.length === 0) {
        this.#paused = false;
        this.#brakes.resume();
      }
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.discard();
    return Promise.resolve({ done: true, value: undefined });
  }

  discard(): void {
    this.#chunks.length = 0;
    if (this.#ended) return;
    this.end();
    this.#brakes.abandon();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }
}
