/** What happened in one run, for the checker and the trace. */

import type { Gap } from "../../src/subscription/portal-reader.js";
import type { Plan, SetCommand, SubscribeCommand } from "./plan.js";

/** One request as the client sent it. */
export interface Post {
  readonly client: number;
  readonly kind: "login" | "set" | "get";
  readonly at: number;
  /** The client's own clock. */
  readonly clientAt: number;
  readonly session: string | undefined;
  /** Whether it provably never left. */
  refused: boolean;
  /** Suspensions of the client until then: a time that spans one is not judged. */
  readonly naps: number;
  status?: number;
  /** Whether something went wrong on the way, or it was given up. */
  broken?: boolean;
  /** Whether the server itself denied it, for a reason of its own. */
  expired?: boolean;
  retryAfterMs?: number;
  /** When the client had the answer's head (its own clock). */
  answeredAt?: number;
  /** When the exchange was over for the client (its own clock). */
  endedAt?: number;
  endNaps?: number;
}

export interface Stored {
  readonly portalId: string;
  readonly payload: string;
  readonly serverTimestamp: number;
  readonly seq: number;
  readonly epoch: number;
  readonly at: number;
}

export interface SetRecord {
  readonly id: string;
  readonly command: SetCommand;
  readonly at: number;
  readonly payloads: readonly string[];
  result?:
    | {
        readonly kind: "ok";
        readonly attempts: number;
        readonly duplicatePossible: boolean;
        readonly storedThen: boolean;
      }
    | { readonly kind: "error"; readonly outcome: string | undefined; readonly code: string };
  settledAt?: number;
  /** Set after all faults had stopped. */
  readonly calm: boolean;
}

export interface Delivered {
  readonly portalId: string;
  readonly payload: string;
  readonly serverTimestamp: number;
  readonly seq?: number;
}

export interface Reader {
  readonly command: SubscribeCommand;
  readonly subscribedAt: number;
  /** From when on everything that is stored is owed to it. */
  connectedAt: number | undefined;
  readonly delivered: Delivered[];
  /** With how many items had been handed over before it; one more where that is uncertain. */
  readonly gaps: {
    readonly gap: Gap;
    readonly from: number;
    readonly to: number;
    readonly at: number;
  }[];
  open: boolean;
}

export interface History {
  readonly plan: Plan;
  readonly limits: { readonly requestsPerSecondMax: number; readonly lineBytesMax: number };
  readonly posts: Post[];
  readonly stored: Stored[];
  readonly sets: SetRecord[];
  readonly readers: Reader[];
  readonly gets: { readonly items: Delivered[] }[];
  restarts: number;
  /** What was left at the end. */
  readonly rest: { timers: number; exchanges: number; waitingGets: number; closed: boolean };
  readonly errors: string[];
  /** Requests of the month that each client has counted. */
  counted: number[];
  /** Commands and requests. */
  steps: number;
}
