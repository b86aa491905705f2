/** Bytes up to which a chunk is copied into its frame: to copy more costs what it saves. */
const COPIED_BYTES_MAX = 16_384;

const END = "\r\n";

/**
 * Chunks of HTTP's chunked coding as they go over the wire: length, content and end in one piece, which costs half of
 * what four pieces cost. The last one is kept: readers who wait are served one after the other with the same bytes.
 */
export class ChunkFrames {
  #content: Buffer | undefined;
  #frame: Buffer | undefined;

  /** @returns undefined when there is too much or too little to frame */
  frameOf(content: Buffer): Buffer | undefined {
    if (content === this.#content) return this.#frame;
    if (content.length === 0 || content.length > COPIED_BYTES_MAX) return undefined;
    const head = content.length.toString(16) + END;
    const frame = Buffer.allocUnsafe(head.length + content.length + END.length);
    frame.write(head, "latin1");
    content.copy(frame, head.length);
    frame.write(END, head.length + content.length, "latin1");
    this.#content = content;
    this.#frame = frame;
    return frame;
  }
}
