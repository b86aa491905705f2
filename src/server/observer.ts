import type { Clock } from "../primitives/clock.js";
import { API_PREFIX, PATHS } from "../protocol/paths.js";
import type { ServerReply } from "./exchange.js";

/** The calls of the API as they are counted; `other` is whatever is none of them. */
export type ObservedCall = "login" | "set" | "get" | "register" | "other";

/** Hears what a server does, so that it can be measured. A server that nobody observes pays nothing for it. */
export interface ServerObserver {
  /** An answer begins. `durationMs`: since the request was there as a whole. */
  answered(call: ObservedCall, status: number, durationMs: number): void;
  /** Items that a set brought go to a reader that waited for them. `ageMs`: since the engine has held the newest. */
  handedOver(ageMs: number): void;
}

/** The same answer, which tells the observer when it begins. */
export function observed(
  reply: ServerReply,
  path: string,
  { observer, clock }: { readonly observer: ServerObserver; readonly clock: Clock },
): ServerReply {
  const from = clock.now();
  return {
    head(status, headers) {
      observer.answered(callOf(path), status, clock.now() - from);
      reply.head(status, headers);
    },
    flush: () => reply.flush(),
    write: (chunk) => reply.write(chunk),
    end: (lastChunk) => reply.end(lastChunk),
    onClose: (callback) => reply.onClose(callback),
    onDrain: (callback) => reply.onDrain(callback),
  };
}

const CALLS: Readonly<Record<string, ObservedCall>> = {
  [API_PREFIX + PATHS.login]: "login",
  [API_PREFIX + PATHS.set]: "set",
  [API_PREFIX + PATHS.get]: "get",
  [API_PREFIX + PATHS.registrationStart]: "register",
  [API_PREFIX + PATHS.registrationCode]: "register",
};

function callOf(path: string): ObservedCall {
  const query = path.indexOf("?");
  const call = query === -1 ? path : path.slice(0, query);
  return Object.hasOwn(CALLS, call) ? (CALLS[call] as ObservedCall) : "other";
}
