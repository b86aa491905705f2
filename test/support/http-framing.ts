import type { Socket } from "node:net";

/** Bytes that may wait to be read before the socket is paused. */
const WAITING_BYTES_MAX = 1_048_576;
const HEAD_BYTES_MAX = 65_536;
const END_OF_HEAD = "\r\n\r\n";

/** The other side went away: an end that a proxy has to expect at any moment. */
export class GoneError extends Error {
  override readonly name = "GoneError";
}

/** What a socket has received, in order. It reads on while nobody asks, so that an end is noticed when it comes. */
export class Inbox {
  readonly #socket: Socket;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes > WAITING_BYTES_MAX) socket.pause();
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.once("end", end).once("close", end);
  }

  /** The next bytes, or nothing when the other side has ended. */
  async take(): Promise<Buffer | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (!this.#socket.destroyed) this.#socket.resume();
    return bytes.length === 0 ? undefined : bytes;
  }
}

/** How the end of a body is told. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

export interface Head {
  readonly startLine: string;
  /** By name in lower case; the last one of several. */
  readonly headers: ReadonlyMap<string, string>;
  /** The lines of the head as they came, without the empty one at its end. */
  readonly lines: readonly string[];
}

export const headBytes = (lines: readonly string[]): Buffer =>
  Buffer.from(lines.join("\r\n") + END_OF_HEAD, "latin1");

/** The lines of a head whose body will be chunked, whatever it said before. */
export const asChunked = ({ lines }: Head): string[] => [
  ...lines.filter((line) => !/^(?:content-length|transfer-encoding):/i.test(line)),
  "Transfer-Encoding: chunked",
];

function declaredFraming({ headers }: Head, otherwise: Framing): Framing {
  if (/\bchunked\s*$/i.test(headers.get("transfer-encoding") ?? "")) return { kind: "chunked" };
  const length = headers.get("content-length");
  return length === undefined ? otherwise : { kind: "length", bytes: Number(length) };
}

export const requestFraming = (head: Head): Framing => declaredFraming(head, { kind: "none" });

export function responseFraming(head: Head, method: string): Framing {
  const status = statusOf(head);
  if (method === "HEAD" || status < 200 || status === 204 || status === 304)
    return { kind: "none" };
  return declaredFraming(head, { kind: "close" });
}

export const statusOf = ({ startLine }: Head): number => Number(startLine.split(" ")[1]);

/** Part of a body, as it goes on the wire. */
export const framed = (framing: Framing, data: Buffer): Buffer =>
  framing.kind === "chunked"
    ? Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")])
    : data;

export const endOf = (framing: Framing): Buffer =>
  Buffer.from(framing.kind === "chunked" ? "0\r\n\r\n" : "");

/** Takes HTTP/1.1 messages apart: heads, and bodies without their framing. */
export class MessageReader {
  readonly #inbox: Inbox;
  #rest: Buffer = Buffer.alloc(0);

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
  }

  /** The next head, or nothing when the other side ended between messages. */
  async head(): Promise<Head | undefined> {
    let end = this.#rest.indexOf(END_OF_HEAD);
    while (end < 0) {
      if (this.#rest.length > HEAD_BYTES_MAX) throw new Error("the head of a message is too long");
      if (!(await this.#more())) return undefined;
      end = this.#rest.indexOf(END_OF_HEAD);
    }
    const lines = this.#cut(end).toString("latin1").split("\r\n");
    this.#cut(END_OF_HEAD.length);
    const headers = lines.slice(1).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return { startLine: lines[0] ?? "", headers: new Map(headers), lines };
  }

  /**
   * The body's bytes as they arrive.
   *
   * @throws GoneError when the other side ends before the body does
   */
  async *body(framing: Framing): AsyncGenerator<Buffer, void> {
    if (framing.kind === "length") yield* this.#exactly(framing.bytes);
    else if (framing.kind === "chunked") yield* this.#chunks();
    else if (framing.kind === "close") yield* this.#untilEnd();
  }

  async *#exactly(bytes: number): AsyncGenerator<Buffer, void> {
    for (let missing = bytes; missing > 0;) {
      await this.#need(1);
      const part = this.#cut(Math.min(missing, this.#rest.length));
      missing -= part.length;
      yield part;
    }
  }

  async *#chunks(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const size = parseInt(await this.#line(), 16);
      if (!Number.isInteger(size)) throw new Error("a chunk has no size");
      if (size === 0) break;
      yield* this.#exactly(size);
      await this.#line();
    }
    // Trailers, up to the empty line; nobody here sends any.
    while ((await this.#line()) !== "");
  }

  async *#untilEnd(): AsyncGenerator<Buffer, void> {
    do {
      if (this.#rest.length > 0) yield this.#cut(this.#rest.length);
    } while (await this.#more());
  }

  async #line(): Promise<string> {
    let end = this.#rest.indexOf("\r\n");
    while (end < 0) {
      await this.#need(this.#rest.length + 1);
      end = this.#rest.indexOf("\r\n");
    }
    const line = this.#cut(end).toString("latin1");
    this.#cut(2);
    return line;
  }

  async #need(bytes: number): Promise<void> {
    while (this.#rest.length < bytes) {
      if (!(await this.#more())) throw new GoneError("the other side ended in mid-message");
    }
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#inbox.take();
    if (bytes === undefined) return false;
    this.#rest = Buffer.concat([this.#rest, bytes]);
    return true;
  }

  #cut(bytes: number): Buffer {
    const part = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return part;
  }
}
