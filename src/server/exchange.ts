/**
 * One request and its answer, as the server's core sees them. The core knows no socket: the listener puts these on top
 * of node:http, a simulation on top of nothing.
 */

/** Headers by lower-case name; several of one name are joined as node:http joins them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ServerRequest {
  readonly method: string;
  /** The request's target as it came, a query included. */
  readonly path: string;
  readonly headers: RequestHeaders;
  /** The whole body; the listener has kept it below the bound. */
  readonly body: Uint8Array;
  /** Address of the other end of the connection. */
  readonly peer: string;
  /** Whether it came under TLS. @defaultValue false */
  readonly isSecure?: boolean;
}

export interface ServerReply {
  /** Sets the status line and the headers. Once, before the first write or the end. */
  head(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void;
  /** Sends the head now, although nothing of the body is there yet. */
  flush(): void;
  /** Sends a part of the body. @returns false when the reader does not keep up: write again after the drain */
  write(chunk: Buffer): boolean;
  /** Ends the answer, with a last part if there is one. Text costs less than bytes: it goes out with the head. */
  end(lastChunk?: Buffer | string): void;
  /** Calls back once when the exchange is over for whatever reason: answered whole, or the client is gone. */
  onClose(callback: () => void): void;
  /** Calls back each time when the reader has caught up after a write answered false. */
  onDrain(callback: () => void): void;
}

/** The header's only value, or undefined. */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}
