/**
 * Cuts a stream of bytes into lines. A line may end with `\n` or `\r\n`, may be split over any number of chunks (in the
 * middle of a character, too), and several may come in one chunk. Work is done on bytes: a UTF-8 character is decoded
 * only when its line is whole, so where a chunk ends does not matter.
 */

const NEWLINE = 0x0a;

export class LineTooLongError extends Error {
  override readonly name = "LineTooLongError";

  constructor(readonly lineBytesMax: number) {
    super(`a line is longer than ${lineBytesMax} bytes`);
  }
}

export class LineSplitter {
  readonly #lineBytesMax: number;
  /** Beginning of a line whose end has not come yet. */
  #parts: Uint8Array[] = [];
  #partsBytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * Takes the next chunk.
   *
   * @returns the lines that it completes, without their newline; an empty line is one too
   * @throws LineTooLongError when a line outgrows the bound; nothing of it is kept then
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      lines.push(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** What came after the last newline: a last line without one, or the remains of a cut. Empty when there is nothing. */
  rest(): Uint8Array {
    return this.#complete(new Uint8Array(0));
  }

  #keep(part: Uint8Array): void {
    this.#checkLength(this.#partsBytes + part.length);
    this.#parts.push(part);
    this.#partsBytes += part.length;
    // Many tiny chunks would cost more in objects than in bytes.
    if (this.#parts.length > 64) this.#parts = [Buffer.concat(this.#parts, this.#partsBytes)];
  }

  #complete(last: Uint8Array): Uint8Array {
    this.#checkLength(this.#partsBytes + last.length);
    if (this.#parts.length === 0) return last;
    const line = Buffer.concat([...this.#parts, last], this.#partsBytes + last.length);
    this.#parts = [];
    this.#partsBytes = 0;
    return line;
  }

  #checkLength(bytes: number): void {
    if (bytes <= this.#lineBytesMax) return;
    this.#parts = [];
    this.#partsBytes = 0;
    throw new LineTooLongError(this.#lineBytesMax);
  }
}
