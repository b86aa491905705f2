/** One request and its answer, as a plan of faults sees it. */
export interface Exchange {
  /** Its place among all exchanges of the proxy, from 0. */
  readonly index: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Its place among those of the same path, from 0. */
  readonly pathIndex: number;
  /** The number of the client's connection, from 0. */
  readonly connection: number;
}

/** How a connection is cut: as if the process had closed it, or as if it had died. */
export type Cut = "fin" | "rst";

/** What goes wrong with one exchange. Bytes are counted in the body, its framing left out. */
export type Fault =
  /** The request waits before it is passed on, or the answer before it comes back. */
  | { readonly kind: "delay"; readonly ms: number; readonly of?: "request" | "response" }
  /** The same until a promise resolves; an answer may stop after its first bytes. */
  | {
      readonly kind: "hold";
      readonly until: Promise<unknown>;
      readonly of?: "request" | "response";
      readonly afterBytes?: number;
    }
  /** The answer, head and all, is written in pieces of so many bytes. */
  | { readonly kind: "slice"; readonly bytes: number }
  /** The answer ends after so many bytes; `clean` ends it as if that were all of it. */
  | { readonly kind: "cut-response"; readonly afterBytes: number; readonly how: Cut | "clean" }
  /** So many bytes of the request reach the server, then both connections end. */
  | { readonly kind: "cut-request"; readonly afterBytes: number; readonly how: Cut }
  /** The connection ends as the request arrives, and nothing of it reaches the server. */
  | { readonly kind: "refuse"; readonly how: Cut }
  /** The server gets the request, its answer is lost, the connection stays open. */
  | { readonly kind: "swallow" }
  /** Nothing passes any more, up to the server, down to the client (after so many bytes), or both; no side is told. */
  | {
      readonly kind: "black-hole";
      readonly direction: "up" | "down" | "both";
      readonly afterBytes?: number;
    }
  /** A line of the answer comes twice; lines count from 0. */
  | { readonly kind: "duplicate-line"; readonly line: number }
  /** The bytes from a place on are others: these, or the same with every bit turned over. */
  | { readonly kind: "garble"; readonly at: number; readonly bytes?: Uint8Array }
  /** The proxy answers, and the server hears nothing. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** Decides what goes wrong with an exchange; nothing does, where it returns nothing. */
export type Plan = (exchange: Exchange) => Fault | undefined;

/** The first bytes of a body. */
export async function* first(
  body: AsyncIterable<Buffer>,
  bytes: number,
): AsyncGenerator<Buffer, void> {
  let missing = bytes;
  if (missing <= 0) return;
  for await (const part of body) {
    yield part.subarray(0, missing);
    missing -= part.length;
    if (missing <= 0) return;
  }
}

/** A body with a pause after its first bytes. */
export async function* pausing(
  body: AsyncIterable<Buffer>,
  bytes: number,
  pause: () => Promise<void>,
): AsyncGenerator<Buffer, void> {
  let missing = bytes;
  for await (const part of body) {
    if (missing >= 0 && part.length > missing) {
      if (missing > 0) yield part.subarray(0, missing);
      await pause();
      yield part.subarray(missing);
      missing = -1;
    } else {
      yield part;
      missing -= missing < 0 ? 0 : part.length;
    }
  }
  if (missing >= 0) await pause();
}

/** A body with one of its lines twice. */
export async function* duplicating(
  body: AsyncIterable<Buffer>,
  line: number,
): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for await (const part of body) {
    rest = Buffer.concat([rest, part]);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const whole = rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
      yield whole;
      if (at === line) yield whole;
      at += 1;
    }
  }
  if (rest.length === 0) return;
  yield rest;
  if (at === line) yield Buffer.concat([Buffer.from("\n"), rest]);
}

/** A body with other bytes in one place. */
export async function* garbling(
  body: AsyncIterable<Buffer>,
  at: number,
  bytes?: Uint8Array,
): AsyncGenerator<Buffer, void> {
  const length = bytes?.length ?? 1;
  let from = 0;
  for await (const part of body) {
    const own = Buffer.from(part);
    for (
      let place = Math.max(at, from);
      place < Math.min(at + length, from + own.length);
      place += 1
    ) {
      own[place - from] = bytes?.[place - at] ?? (own[place - from] ?? 0) ^ 0xff;
    }
    from += own.length;
    yield own;
  }
}
