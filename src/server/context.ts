import type { TimeoutQueue } from "../primitives/timeout-queue.js";
import type { Backend, Session } from "./backend/backend.js";
import type { ServerReply, ServerRequest } from "./exchange.js";
import type { FailureThrottle } from "./failure-throttle.js";
import type { Logger } from "./log.js";
import type { ServerSettings } from "./options.js";
import type { Counters } from "./stats.js";

/** What the handlers of a server share. */
export interface ServerContext {
  readonly settings: ServerSettings;
  readonly backend: Backend;
  readonly failures: FailureThrottle;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Ends of gets that wait or stream. */
  readonly getTimeouts: TimeoutQueue;
  /** Whether the server closes: nothing new is begun. */
  readonly isClosing: () => boolean;
}

/** A request that passed the guards. */
export interface Call {
  readonly request: ServerRequest;
  readonly reply: ServerReply;
  /** Canonical address of the client. */
  readonly peer: string;
  /** Answers with an error, whatever was thrown. */
  readonly fail: (error: unknown) => void;
}

/** A call with a valid session. */
export interface SessionCall extends Call {
  readonly session: Session;
}

export type Handler = (context: ServerContext, call: Call) => void;
export type SessionHandler = (context: ServerContext, call: SessionCall) => void;
