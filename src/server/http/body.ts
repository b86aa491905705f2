import type { IncomingMessage } from "node:http";

/** Bytes of a refused body that are read and thrown away, so that its sender gets to read the refusal. */
const DISCARDED_BYTES_MAX = 4_194_304;

export interface BodyEvents {
  /** The whole body is there. */
  complete(body: Buffer): void;
  /** It is longer than the bound; what comes now is thrown away. */
  tooLong(): void;
}

interface Collected {
  chunks: Buffer[] | undefined;
  bytes: number;
  /** Undefined when the body is there, or too long. */
  events: BodyEvents | undefined;
}

/** Collects a request's body up to a bound. A body whose sender goes away is simply forgotten. */
export function collectBody(request: IncomingMessage, bytesMax: number, events: BodyEvents): void {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) {
    events.tooLong();
    return;
  }
  const collected: Collected = { chunks: undefined, bytes: 0, events };
  request.on("data", (chunk: Buffer) => {
    if (collected.events === undefined) return;
    collected.bytes += chunk.length;
    if (collected.bytes > bytesMax) letGo(collected)?.tooLong();
    else if (collected.chunks === undefined) collected.chunks = [chunk];
    else collected.chunks.push(chunk);
  });
  request.on("end", () => {
    const { chunks = [], bytes } = collected;
    const only = chunks.length === 1 ? chunks[0] : undefined;
    letGo(collected)?.complete(only ?? Buffer.concat(chunks, bytes));
  });
}

/** The listeners stay with a request for as long as its answer takes; what they have collected must not. */
function letGo(collected: Collected): BodyEvents | undefined {
  const { events } = collected;
  collected.events = undefined;
  collected.chunks = undefined;
  return events;
}

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
