import type { Socket } from "node:net";
import { closeRaw, connectRaw } from "./raw-socket.js";

export interface HttpAnswer {
  readonly status: number;
  /** The head as it came. */
  readonly head: string;
  readonly body: string;
}

type OnText = () => void;

/** One connection that sends POSTs, and reads answers of a known length or lines that do not end. */
export class HttpSocket {
  readonly #port: number;
  #socket: Socket | undefined;
  #text = "";
  #onText: OnText = () => undefined;
  #onGone: (error: Error) => void = () => undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async connect(): Promise<void> {
    this.#socket = await connectRaw(this.#port, {
      onBytes: (bytes) => {
        this.#text += bytes.toString("latin1");
        this.#onText();
      },
      onGone: (error) => this.#onGone(error),
    });
  }

  /** Sends a request and resolves with its answer, which has to have a length. */
  post(path: string, body: string, headers = ""): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#onGone = reject;
      this.#onText = () => {
        const head = this.#head();
        if (head === undefined) return;
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (this.#text.length < head.length + length) return;
        const answer = this.#text.slice(head.length, head.length + length);
        this.#text = this.#text.slice(head.length + length);
        resolve({ status: statusOf(head), head, body: answer });
      };
      this.#write(path, body, headers);
    });
  }

  /**
   * Sends a request and resolves when its answer begins.
   *
   * @param onLine - takes each line of the body
   */
  stream(
    path: string,
    body: string,
    headers: string,
    onLine: (line: string) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onGone = reject;
      this.#onText = () => {
        const head = this.#head();
        if (head === undefined) return;
        if (statusOf(head) !== 200) {
          reject(new Error(`a reader was answered ${statusOf(head)}`));
          return;
        }
        this.#text = this.#text.slice(head.length);
        this.#onText = () => this.#lines(onLine);
        this.#lines(onLine);
        resolve();
      };
      this.#write(path, body, headers);
    });
  }

  close(): Promise<void> {
    this.#onGone = () => undefined;
    return closeRaw(this.#socket);
  }

  #write(path: string, body: string, headers: string): void {
    const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-length: ${body.length}\r\n\r\n`;
    this.#socket?.write(head + body, "latin1");
  }

  #head(): string | undefined {
    const end = this.#text.indexOf("\r\n\r\n");
    return end === -1 ? undefined : this.#text.slice(0, end + 4);
  }

  /** Lines of chunks: those that end with \r\n are the chunks' own. */
  #lines(onLine: (line: string) => void): void {
    const text = this.#text;
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      if (text[end - 1] !== "\r") onLine(text.slice(from, end));
      from = end + 1;
    }
    this.#text = text.slice(from);
  }
}

const statusOf = (head: string): number => Number(head.slice(9, 12));
