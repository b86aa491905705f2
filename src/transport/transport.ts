/** Bytes over HTTP. A status is a value here, not an exception; nothing is retried, nobody logs in. */

import type { Signal } from "../primitives/signal.js";

/**
 * Which connections a request may use. A `stream` holds its connection while it is open; a `command` must not wait for
 * it. `ordered` ones share a single connection, one behind another without waiting for answers: when it is lost, so are
 * all that are on it.
 */
export type Lane = "command" | "ordered" | "stream";

/** One request. */
export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly lane: Lane;
  /** Gives the exchange up at any point, its body included. */
  readonly signal: Signal;
}

/** An answer whose head is there, and whose body may still be on its way. */
export interface TransportResponse {
  readonly status: number;
  /** The value of a header by its lower-case name; the first where there are several. */
  header(name: string): string | undefined;
  /** Every `set-cookie` line. */
  readonly setCookies: readonly string[];
  /**
   * The body's bytes as they arrive. It throws a {@link TransportError} when the body is cut, and the signal's reason
   * when the exchange is given up. Leaving the loop early gives up the rest.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up what has not been read. */
  discard(): void;
}

/** Moves requests and answers. {@link XrtcClient} brings its own; a simulation brings another. */
export interface Transport {
  /**
   * Resolves when the head of the answer is there.
   *
   * @throws TransportError when no answer came; the signal's reason when it was given up before
   */
  post(request: PostRequest): Promise<TransportResponse>;
  /** Ends every connection; what is under way fails. Calling it twice is one close. */
  close(): Promise<void>;
}

/** `connect`: no connection came about. `tls`: the other side could not be verified. `broken`: it was lost in use. */
export type TransportFailure = "connect" | "tls" | "broken";

/** An exchange that brought no whole answer. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  constructor(
    readonly failure: TransportFailure,
    /** Whether a byte of the request may have been written: if not, it was provably not applied. */
    readonly sent: boolean,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
