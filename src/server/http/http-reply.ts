import type { ServerResponse } from "node:http";
import type { ServerReply } from "../exchange.js";

/** Hears when a reply begins and ceases to wait for its reader. */
export interface ReplyWatcher {
  waiting(reply: HttpReply): void;
  flowing(reply: HttpReply): void;
}

/** An answer on top of node:http. */
export class HttpReply implements ServerReply {
  readonly #response: ServerResponse;
  readonly #watcher: ReplyWatcher;
  readonly #onClose: (() => void)[] = [];
  #onDrain: (() => void) | undefined;
  #isBehind = false;
  #isClosed = false;

  constructor(response: ServerResponse, watcher: ReplyWatcher) {
    this.#response = response;
    this.#watcher = watcher;
    // What fails here is the connection: its end is what there is to do about it.
    response.on("error", () => this.destroy());
  }

  head(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void {
    if (this.#isClosed) return;
    // A second answer must not be mixed into the first.
    if (this.#response.headersSent) this.destroy();
    else this.#response.writeHead(status, headers as Record<string, string | string[]>);
  }

  flush(): void {
    if (!this.#isClosed) this.#response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    if (this.#isClosed) return true;
    const { socket } = this.#response;
    if (socket === null) {
      // Another answer on this connection comes first; this one is collected until then.
      this.#isBehind = !this.#response.write(chunk);
      if (this.#isBehind) this.#response.once("drain", this.#caughtUp);
    } else {
      // One packet for the chunk's length, the chunk and its end, and now: node:http would wait for the next tick.
      this.#response.cork();
      this.#response.write(chunk);
      this.#response.uncork();
      // Not what write() answers: while corked it looks at this chunk alone.
      this.#isBehind = socket.writableNeedDrain;
      if (this.#isBehind) socket.once("drain", this.#caughtUp);
    }
    if (this.#isBehind) this.#watcher.waiting(this);
    return !this.#isBehind;
  }

  end(lastChunk?: Buffer | string): void {
    if (this.#isClosed) return;
    if (lastChunk === undefined) this.#response.end();
    else this.#response.end(lastChunk);
    // Not all of it is with the system yet: the reader's patience counts from here.
    if (this.#response.socket?.writableLength !== 0) this.#watcher.waiting(this);
  }

  onClose(callback: () => void): void {
    if (this.#isClosed) callback();
    else this.#onClose.push(callback);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** The exchange is over: the answer is sent, or the connection is gone. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#response.socket?.off("drain", this.#caughtUp);
    this.#watcher.flowing(this);
    for (const callback of this.#onClose.splice(0)) callback();
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#response.destroy();
  }

  readonly #caughtUp = (): void => {
    if (!this.#isBehind || this.#isClosed) return;
    this.#isBehind = false;
    this.#watcher.flowing(this);
    this.#onDrain?.();
  };
}
