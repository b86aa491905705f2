import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ServerReply } from "../exchange.js";
import type { ChunkFrames } from "./chunk-frames.js";

/** Hears when a reply begins and ceases to wait for its reader. */
export interface ReplyWatcher {
  waiting(reply: HttpReply): void;
  flowing(reply: HttpReply): void;
}

/** What the replies of a listener share, or those behind one web server. */
export interface ReplyOptions {
  readonly watcher: ReplyWatcher;
  /** Undefined where somebody else may have a hand in what is written: nothing goes past node:http then. */
  readonly frames: ChunkFrames | undefined;
}

const NONE: readonly (() => void)[] = [];

/** An answer on top of node:http. Thousands of them wait at a time: what is seldom needed is made when it is. */
export class HttpReply implements ServerReply {
  readonly #response: ServerResponse;
  readonly #options: ReplyOptions;
  #onClose = NONE;
  #onDrain: (() => void) | undefined;
  #caughtUp: (() => void) | undefined;
  #isHeadOut = false;
  #isBehind = false;
  #isClosed = false;

  constructor(response: ServerResponse, options: ReplyOptions) {
    this.#response = response;
    this.#options = options;
    // What fails here is the connection: its end is what there is to do about it.
    response.on("error", destroyIt);
  }

  /** Whether the request has not come whole, and nothing was said to it. */
  get isUnasked(): boolean {
    return !this.#response.headersSent && !this.#response.req.complete;
  }

  /** Bytes that wait for their reader. */
  get queuedBytes(): number {
    return this.#response.writableLength;
  }

  head(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void {
    if (this.#isClosed) return;
    // A second answer must not be mixed into the first.
    if (this.#response.headersSent) this.destroy();
    else this.#response.writeHead(status, headers as Record<string, string | string[]>);
  }

  flush(): void {
    if (this.#isClosed) return;
    this.#isHeadOut = true;
    this.#response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    if (this.#isClosed) return true;
    const { socket } = this.#response;
    if (socket === null) {
      // Another answer on this connection comes first; this one is collected until then.
      this.#isHeadOut = true;
      this.#isBehind = !this.#response.write(chunk);
      if (this.#isBehind) this.#response.once("drain", this.#onCaughtUp());
    } else {
      this.#writeNow(socket, chunk);
      // Not what write() answers: while corked it looks at this chunk alone.
      this.#isBehind = socket.writableNeedDrain;
      if (this.#isBehind) socket.once("drain", this.#onCaughtUp());
    }
    if (this.#isBehind) this.#options.watcher.waiting(this);
    return !this.#isBehind;
  }

  end(lastChunk?: Buffer | string): void {
    if (this.#isClosed) return;
    if (lastChunk === undefined) this.#response.end();
    else this.#response.end(lastChunk);
    // Not all of it is with the system yet: the reader's patience counts from here.
    if (this.#response.socket?.writableLength !== 0) this.#options.watcher.waiting(this);
  }

  onClose(callback: () => void): void {
    if (this.#isClosed) callback();
    else this.#onClose = [...this.#onClose, callback];
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** The exchange is over: the answer is sent, or the connection is gone. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#caughtUp !== undefined) this.#response.socket?.off("drain", this.#caughtUp);
    this.#options.watcher.flowing(this);
    const callbacks = this.#onClose;
    this.#onClose = NONE;
    for (const callback of callbacks) callback();
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#response.destroy();
  }

  /**
   * One write to the system, and now. By itself node:http would make it four pieces (length, chunk and end, and an
   * empty one), at the next tick or, uncorked in Node.js 24, with a call to the system for each.
   */
  #writeNow(socket: Socket, chunk: Buffer): void {
    const response = this.#response;
    const frame = response.chunkedEncoding ? this.#options.frames?.frameOf(chunk) : undefined;
    if (frame !== undefined && this.#isHeadOut) {
      if (socket.writable) socket.write(frame);
      return;
    }
    socket.cork();
    if (frame === undefined) {
      response.write(chunk);
    } else {
      response.flushHeaders();
      if (socket.writable) socket.write(frame);
    }
    this.#isHeadOut = true;
    socket.uncork();
  }

  #onCaughtUp(): () => void {
    this.#caughtUp ??= () => {
      if (!this.#isBehind || this.#isClosed) return;
      this.#isBehind = false;
      this.#options.watcher.flowing(this);
      this.#onDrain?.();
    };
    return this.#caughtUp;
  }
}

/** One function for all of them. */
function destroyIt(this: ServerResponse): void {
  this.destroy();
}
