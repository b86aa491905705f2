import type { IncomingMessage } from "node:http";
import { refusal, systemError, type WireError } from "../wire-error.js";

/** Bytes of a refused body that are read and thrown away, so that its sender gets to read the refusal. */
const DISCARDED_BYTES_MAX = 4_194_304;

/** Bytes of each body that need no room: sockets are counted, so that this much of each has a bound already. */
const FREE_BYTES = 8_192;

/** Room for all bodies that are being received or answered. */
export class BodyRoom {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns whether there was room */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export interface BodyEvents {
  /** The whole body is there. */
  complete(body: Buffer): void;
  /** It is longer than the bound, or there is no room for it; what comes now is thrown away. */
  refused(error: WireError): void;
}

export interface BodyOptions {
  /** Bytes of one body. */
  readonly bytesMax: number;
  readonly room: BodyRoom;
}

/** How long a body says that it is: 0 when it does not. The parser has refused what is no number. */
export const declaredLength = (request: IncomingMessage): number =>
  Number(request.headers["content-length"] ?? 0);

/**
 * Collects a request's body up to a bound. A body whose sender goes away is simply forgotten.
 *
 * @returns what has to be forgotten when the exchange is over; undefined when the body is refused at once
 */
export function collectBody(
  request: IncomingMessage,
  options: BodyOptions,
  events: BodyEvents,
): ReceivedBody | undefined {
  const declared = declaredLength(request);
  if (declared > options.bytesMax) {
    events.refused(tooLong(options.bytesMax));
    return undefined;
  }
  const body = new ReceivedBody(options, declared, events);
  request.on("data", (chunk: Buffer) => body.add(chunk));
  request.on("end", () => body.end());
  return body;
}

/**
 * A body that comes in any number of pieces. One in a million pieces of one byte takes what it has in bytes: pieces
 * that were kept as they come would each cost a hundred times as much.
 */
export class ReceivedBody {
  readonly #options: BodyOptions;
  readonly #declared: number;
  /** Undefined when the body is there, or refused. */
  #events: BodyEvents | undefined;
  #bytes: Buffer = NOTHING;
  #length = 0;
  /** Bytes that it has taken of the room. */
  #taken = 0;

  constructor(options: BodyOptions, declared: number, events: BodyEvents) {
    this.#options = options;
    this.#declared = declared;
    this.#events = events;
  }

  add(chunk: Buffer): void {
    if (this.#events === undefined) return;
    const length = this.#length + chunk.length;
    if (length > this.#options.bytesMax) this.#refuse(tooLong(this.#options.bytesMax));
    else if (length <= this.#bytes.length || this.#grow(length, chunk)) {
      chunk.copy(this.#bytes, this.#length);
      this.#length = length;
    } else this.#refuse(systemError(503, "the server's memory for requests is full", 1_000));
  }

  end(): void {
    const bytes = this.#bytes;
    this.#letGo()?.complete(
      bytes.length === this.#length ? bytes : bytes.subarray(0, this.#length),
    );
  }

  /** Gives its room back, for when nobody needs the body any more. */
  forget(): void {
    this.#letGo();
    this.#options.room.give(this.#taken);
    this.#taken = 0;
  }

  /** @returns whether there was room */
  #grow(length: number, chunk: Buffer): boolean {
    // Most bodies come in one piece, which is taken as it is.
    const isFirst = this.#length === 0;
    const capacity = isFirst ? length : Math.max(length, this.#capacityFor(length));
    const wanted = Math.max(0, capacity - FREE_BYTES) - this.#taken;
    if (wanted > 0) {
      if (!this.#options.room.take(wanted)) return false;
      this.#taken += wanted;
    }
    if (isFirst) {
      this.#bytes = chunk;
      return true;
    }
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return true;
  }

  /** Twice as much, so that all the copying together costs no more than the body; but never more than may come. */
  #capacityFor(length: number): number {
    return Math.min(2 * length, this.#declared === 0 ? this.#options.bytesMax : this.#declared);
  }

  #refuse(error: WireError): void {
    const events = this.#letGo();
    this.forget();
    events?.refused(error);
  }

  /** The listeners stay with a request for as long as its answer takes; what they have collected must not. */
  #letGo(): BodyEvents | undefined {
    const events = this.#events;
    this.#events = undefined;
    this.#bytes = NOTHING;
    return events;
  }
}

const NOTHING = Buffer.alloc(0);

/** What a body that is longer than the bound is refused with. */
export const tooLong = (bytesMax: number): WireError =>
  refusal("application", "INPUT_BINARYJSON_PARSE_FAIL", `a request has at most ${bytesMax} bytes`);

/**
 * Reads what is left of a body and throws it away, then calls back. Closing the connection at once would reset it,
 * and a reset takes the answer with it that the sender has not read yet.
 */
export function discardBody(request: IncomingMessage, done: () => void): void {
  let bytes = 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    done();
  };
  if (request.complete) {
    finish();
    return;
  }
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) finish();
  });
  request.once("end", finish);
  request.once("close", finish);
  request.resume();
}
