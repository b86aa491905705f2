/**
 * What the dialogs ask of the runtime, and what it answers. Every path is relative to the editor's own address.
 *
 * - `GET xrtc/config/:id/status` (permission `xrtc-config.read`): {@link StatusAnswer}
 * - `GET xrtc/config/:id/portals` (`xrtc-config.read`): {@link PortalsAnswer}
 * - `POST xrtc/config/:id/test` (`xrtc-config.write`): {@link TestRequest}, {@link TestAnswer}
 * - `POST xrtc/registration/start` (`xrtc-config.write`): {@link StartRequest}, {@link StartAnswer}
 * - `POST xrtc/registration/finish` (`xrtc-config.write`): {@link FinishRequest}, {@link FinishAnswer}
 *
 * A request that fails is answered with an HTTP status from 400 on and an {@link ErrorAnswer}. Bodies are JSON and are
 * sent as `application/json`.
 */

/** How a deployed config node stands. */
export interface StatusAnswer {
  /** What the badge of its nodes says; a key of the editor's own catalogue where it begins with `node-red:`. */
  readonly status: string;
  readonly kind: "idle" | "connecting" | "connected" | "waiting" | "refused" | "closed";
  readonly fill?: "red" | "green" | "yellow" | "grey";
  readonly shape?: "ring" | "dot";
  /** Why, when something is wrong. */
  readonly code?: string;
  /** Requests of the month (UTC); null while there is no client. */
  readonly usage: {
    readonly used: number;
    /** Null where there is no limit. */
    readonly max: number | null;
    /** As `2026-11`. */
    readonly month: string;
    readonly level: "ok" | "warn" | "stretch" | "stop";
  } | null;
  /** Milliseconds that the server's clock is ahead of this machine's; null before the first login. */
  readonly clockOffsetMs: number | null;
}

export interface PortalsAnswer {
  /** Portals of the account that hold an item now, sorted. */
  readonly portals: readonly string[];
}

/** The fields of the dialog, by the names of the node's defaults; what is left out has its default. */
export interface ServiceFields {
  readonly service?: string;
  readonly server?: string;
  readonly baseUrl?: string;
  readonly loginUrl?: string;
  readonly setUrl?: string;
  readonly getUrl?: string;
  readonly allowInsecure?: boolean;
  readonly credentialsFrom?: string;
  readonly dotenvFile?: string;
  readonly tls?: string;
  readonly proxy?: string;
  /** Any other field of the node. */
  readonly [field: string]: unknown;
}

export interface TestRequest extends ServiceFields {
  readonly accountId?: string;
  /** Only when it was typed anew. */
  readonly apiKey?: string;
}

export interface TestAnswer {
  /** Milliseconds of one request and its answer, without the login. */
  readonly roundTripMs: number;
  readonly clockOffsetMs: number | null;
  readonly portals: readonly string[];
}

export interface StartRequest extends ServiceFields {
  readonly email: string;
}

export interface StartAnswer {
  /** Names the registration in the second step; good for 15 minutes here, and for 5 at the service. */
  readonly registration: string;
}

export interface FinishRequest {
  readonly registration: string;
  /** From the e-mail. */
  readonly code: string;
}

/** Given once: the only answer that holds a key. */
export interface FinishAnswer {
  readonly accountId: string;
  readonly apiKey: string;
}

export interface ErrorAnswer {
  readonly code: string;
  /** What happened; never a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}
