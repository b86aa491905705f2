/** How a status looks on a node: the one place that maps it to a badge; pure. */

import { type ClientStatus, printable, type XrtcError } from "../../src/index.js";
import type { ServerState } from "./local-server.js";

/**
 * Text of a badge before it is put into the user's language: a key that the editor translates by itself, words of the
 * service, or a phrase of our catalogue.
 */
export type Phrase =
  | { readonly kind: "shared"; readonly key: SharedKey }
  | { readonly kind: "own"; readonly key: "starting" | "paused" | "unverified" | SharedKey }
  | { readonly kind: "words"; readonly text: string }
  | { readonly kind: "cause"; readonly code: XrtcError["code"] }
  /** A cause, and that the next attempt comes by itself; `seconds` only when that takes a while. */
  | { readonly kind: "retry"; readonly code: XrtcError["code"]; readonly seconds?: number };

/** Phrases that Node-RED's own catalogue has, too. */
export type SharedKey = "connecting" | "connected" | "disconnected";

export interface Look {
  readonly fill: "red" | "green" | "yellow" | "grey";
  readonly shape: "ring" | "dot";
  readonly phrase: Phrase;
  /** Clients of a server; shown behind the phrase. */
  readonly clients?: number;
  /** Messages a second, in round numbers; shown behind that. */
  readonly perSecond?: number;
  /** Messages that wait, in round numbers; shown last. */
  readonly queued?: number;
}

/** What a node was told by a message: to let messages wait, or to have nothing to do with the service. */
export type Hold = "paused" | "disconnected";

/** Characters of the service's own words that a badge shows. */
const WORDS_LENGTH_MAX = 40;
/** Waits shorter than this many ms are not worth a number: they come and go faster than anybody reads. */
const COUNTED_MS_MIN = 5_000;
/** Messages under way that are the usual thing while all is well: only more than these are worth a number. */
const QUEUED_MIN = 10;
/** Messages a second from which on their number is worth a look: below, one sees them one by one. */
const RATE_MIN = 10;

const shared = (key: SharedKey): Phrase => ({ kind: "shared", key });
const CONNECTING: Look = { fill: "yellow", shape: "ring", phrase: shared("connecting") };
const CONNECTED: Look = { fill: "green", shape: "dot", phrase: shared("connected") };
const HELD: Readonly<Record<Hold, Look>> = {
  paused: { fill: "grey", shape: "ring", phrase: { kind: "own", key: "paused" } },
  disconnected: { fill: "grey", shape: "ring", phrase: shared("disconnected") },
};

/**
 * The look of a status after the one before.
 *
 * A wait stays on the badge while the next attempt is made, until it succeeds: otherwise an outage would blink between
 * two colours for as long as it lasts. A session that rests between two uses is as good as one that does not.
 *
 * @param previous - the look before, undefined for a node that has none yet
 * @returns undefined for no badge
 */
export function lookOf(previous: Look | undefined, status: ClientStatus): Look | undefined {
  switch (status.kind) {
    case "idle":
      return previous?.fill === "green" ? previous : undefined;
    case "connecting":
      return previous?.fill === "red" && previous.shape === "ring" ? previous : CONNECTING;
    case "connected":
      return CONNECTED;
    case "waiting":
      return { fill: "red", shape: "ring", phrase: retryPhrase(status.cause, status.retryInMs) };
    case "refused":
      return { fill: "red", shape: "dot", phrase: refusalPhrase(status.cause) };
    case "closed":
      return undefined;
    default:
      return status satisfies never;
  }
}

/** What a node counts of its own messages. */
export interface Counts {
  /** Those that wait, or have no answer yet. */
  readonly queued: number;
  /** Those that went through in a second. @defaultValue 0 */
  readonly perSecond?: number;
}

/**
 * The look of a node that passes messages on: that of its client, with what the node itself holds back.
 *
 * @param look - of the client's status
 * @param hold - what the node was told, undefined when nothing holds it
 */
export function senderLookOf(
  look: Look | undefined,
  hold: Hold | undefined,
  { queued, perSecond = 0 }: Counts,
): Look | undefined {
  const base = hold === undefined ? look : HELD[hold];
  if (base === undefined) return undefined;
  const isWell = base.fill === "green";
  const rate = isWell && perSecond >= RATE_MIN ? { perSecond: roughly(perSecond) } : {};
  const waiting = queued >= (isWell ? QUEUED_MIN : 1) ? { queued: roughly(queued) } : {};
  return { ...base, ...rate, ...waiting };
}

/** The same look, which says that nobody knows who is at the other end where all else is well. */
export const unverifiedLook = (look: Look | undefined): Look | undefined =>
  look?.fill === "green"
    ? { ...look, fill: "yellow", phrase: { kind: "own", key: "unverified" } }
    : look;

/** Two digits and zeros: what changes with every message must not make a new badge of each. */
function roughly(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.floor(count / step) * step;
}

/** What goes on in a server inside Node-RED. */
export interface ServerLoad {
  readonly clients: number;
  /** Items set in the last second. */
  readonly perSecond: number;
  /** Whether it has lost what it keeps its items in. */
  readonly isTroubled: boolean;
}

const NO_LOAD: ServerLoad = { clients: 0, perSecond: 0, isTroubled: false };

/** The look of a server inside Node-RED: where it is while it listens, and what goes on there. */
export function serverLookOf(state: ServerState, load = NO_LOAD): Look | undefined {
  switch (state.kind) {
    case "absent":
      return undefined;
    case "starting":
      return { fill: "yellow", shape: "ring", phrase: { kind: "own", key: "starting" } };
    case "listening":
      return listeningLook(state.place, load);
    case "failed": {
      const { cause, retryInMs } = state;
      if (retryInMs === undefined) {
        return { fill: "red", shape: "dot", phrase: refusalPhrase(cause) };
      }
      const fill = cause.code === ENGINE ? "yellow" : "red";
      return { fill, shape: "ring", phrase: retryPhrase(cause, retryInMs) };
    }
    default:
      return state satisfies never;
  }
}

const ENGINE = "XRTC_ENGINE_UNAVAILABLE";

function listeningLook(place: string, { clients, perSecond, isTroubled }: ServerLoad): Look {
  if (isTroubled) return { fill: "yellow", shape: "ring", phrase: { kind: "retry", code: ENGINE } };
  return {
    fill: "green",
    shape: "dot",
    phrase: { kind: "words", text: place },
    ...(clients > 0 ? { clients: roughly(clients) } : {}),
    ...(perSecond > 0 ? { perSecond: roughly(perSecond) } : {}),
  };
}

function retryPhrase({ code }: XrtcError, retryInMs: number): Phrase {
  if (!Number.isFinite(retryInMs) || retryInMs < COUNTED_MS_MIN) return { kind: "retry", code };
  // Steps of five: what is random to the millisecond must not make a new badge of each attempt.
  return { kind: "retry", code, seconds: Math.ceil(retryInMs / 5_000) * 5 };
}

/** Where the service said why, its words, which stand after the first colon of the message; else ours. */
function refusalPhrase({ code, message, serviceCode }: XrtcError): Phrase {
  if (serviceCode === undefined) return { kind: "cause", code };
  const words = message.slice(message.indexOf(": ") + 1);
  return { kind: "words", text: printable(words, WORDS_LENGTH_MAX) };
}

/** Whether two looks differ in nothing but numbers that change all the time. */
export const sameButCounts = (a: Look | undefined, b: Look | undefined): boolean =>
  a !== undefined && b !== undefined && sameLook(withoutCounts(a), withoutCounts(b));

const withoutCounts = ({ fill, shape, phrase }: Look): Look => ({ fill, shape, phrase });

export const sameLook = (a: Look | undefined, b: Look | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.fill === b.fill &&
    a.shape === b.shape &&
    a.clients === b.clients &&
    a.perSecond === b.perSecond &&
    a.queued === b.queued &&
    JSON.stringify(a.phrase) === JSON.stringify(b.phrase));
