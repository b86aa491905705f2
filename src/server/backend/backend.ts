import type { MaybeAsync } from "../../primitives/maybe-async.js";
import type { NewItem } from "../../protocol/item.js";
import type { Engine } from "../engine/engine.js";
import type { XrtcServerAccount } from "../options.js";
import type { WireError } from "../wire-error.js";

/** How well an acknowledged item is kept. */
export type Durability = "memory" | "redis" | "redis-aof";

/**
 * Everything that several server processes may have in common: items, accounts, sessions and what is counted for them.
 *
 * What is at hand is answered at once and not through a promise: a turn of the event loop for each step of a request
 * would be the greater part of its cost. Every promise settles within 2 s. One that is rejected with a
 * {@link WireError}, or a call that throws one, is answered with it. Whatever else goes wrong means that the backend
 * cannot serve: that is answered with 503, never with 401, which would start a storm of logins.
 */
export interface Backend {
  readonly durability: Durability;
  /** Why it cannot serve just now; undefined while it can. One line, without a password in it. */
  readonly trouble: string | undefined;
  /** Items that full rings let go of before their time since the start, as far as this process knows. */
  readonly itemsOverrun: number;
  readonly engine: Engine;
  readonly accounts: AccountBook;
  readonly registrations: RegistrationBook;
  readonly sessions: Sessions;
  /**
   * Makes ready to serve. Called once, before everything else.
   *
   * @throws XrtcError XRTC_ENGINE_UNAVAILABLE when there is nobody to serve from; XRTC_OPTIONS when what is there does
   *   not keep what the options promise
   */
  open(): MaybeAsync<void>;
  /**
   * Takes other accounts in place of those of the options. A key that is not among them opens nothing any more, and
   * what its sessions have open in this process ends. Registered accounts stay.
   */
  renewAccounts(accounts: readonly XrtcServerAccount[]): MaybeAsync<void>;
  /**
   * Lets go of everything, and leaves no timer and no socket behind. Called once, after {@link Sessions.endAll} and
   * when no answer is under way any more, also when `open` failed.
   */
  close(): MaybeAsync<void>;
}

/** The accounts that may log in: those of the options, and those registered since. */
export interface AccountBook {
  /** Whether one more may be registered. */
  hasRoom(): MaybeAsync<boolean>;
  /** Adds an account with its first key. @returns false when the id is taken; then nothing has changed */
  create(accountId: string, apiKey: string): MaybeAsync<boolean>;
}

/** A code to be sent: the caller sees to it that it reaches its owner. */
export interface RegistrationCode {
  readonly token: string;
  readonly code: string;
}

/** Registrations from their start to the code that finishes them. */
export interface RegistrationBook {
  /**
   * Begins a registration, or makes another code for the one that the token names.
   *
   * @throws WireError with code 33, 40, 41 or 43
   */
  start(email: string, token: string | undefined): MaybeAsync<RegistrationCode>;
  /**
   * Ends a registration whose code was right.
   *
   * @throws WireError with code 33, 34, 42 or 43
   */
  finish(token: string, code: string): MaybeAsync<void>;
}

export interface Credentials {
  readonly accountId: string;
  readonly apiKey: string;
}

/** How a login ended. */
export type Login =
  /** `epoch`: one life of the items' memory, within which sequence numbers are comparable. */
  | { readonly kind: "opened"; readonly sessionId: string; readonly epoch: string }
  /** Wrong, for whatever reason; it takes as long whichever it was. Nothing below was counted. */
  | { readonly kind: "refused" }
  /** The key's share of requests is used up. */
  | { readonly kind: "tooMany"; readonly waitMs: number }
  /** There is no room for another session. */
  | { readonly kind: "full" }
  /** The last login with this key lies less than the login interval back. */
  | { readonly kind: "tooFrequent" };

/** Whether a request belongs to a session. */
export type Entry =
  | { readonly kind: "entered"; readonly session: Session }
  /** Unknown, over, of another address, or of another epoch. */
  | { readonly kind: "denied" }
  /** The key's share of this second is used up, or the account's of this month. */
  | { readonly kind: "tooMany"; readonly waitMs: number; readonly of: "second" | "month" };

/** The sessions that are alive. */
export interface Sessions {
  /** How many, as far as this process knows. */
  readonly size: number;
  /** Opens a session, bound to the peer's address. */
  login(credentials: Credentials, peer: string): MaybeAsync<Login>;
  /**
   * The session that a request belongs to. Counts the request against its key and its account. While one that entered
   * has not left, the session does not end for want of use.
   */
  enter(sessionId: string | undefined, peer: string): MaybeAsync<Entry>;
  /** Ends what the sessions have open in this process. The sessions themselves live on where they are kept elsewhere. */
  endAll(): void;
}

/** A get that is open in a session. */
export interface OpenExchange {
  readonly portalIds: readonly string[];
  /** Whether items of this portal are for it: it asked for them, and its reader keeps up. */
  takes(portalId: string): boolean;
  /** Ends it cleanly, as soon as that loses nothing: for whoever ends the session. */
  finish(): void;
  /** Another get of the session was opened after this one: what both want is the other's from now on. */
  overtakenBy(newer: OpenExchange): void;
  /** The other one is over. */
  outlives(newer: OpenExchange): void;
}

/** A step of a session in one portal. */
export interface Move {
  readonly portalId: string;
  /** The position that {@link Session.positions} gave. */
  readonly from: number;
  /** Sequence number of the last item that is read, or passed over. Below `from` where an earlier one is asked for. */
  readonly to: number;
}

/** One login, as one process sees it: how far it has read, and what it has open here. */
export interface Session {
  readonly accountId: string;
  /** Gets that are open in this process. Whoever ends the session finishes them. */
  readonly openGets: Set<OpenExchange>;
  /** Ended, or being ended: whoever still waited for it begins nothing. */
  readonly isOver: boolean;
  /** A request that entered is over, whatever became of it: the session's minute counts from here. */
  leave(): void;
  /**
   * How far the session has read; a portal that is missing has 0. What comes at once may be a view, good until the
   * session is called again, and may be out of date, but not after a `move` that answered false.
   */
  positions(portalIds: readonly string[]): MaybeAsync<ReadonlyMap<string, number>>;
  /**
   * Moves in all portals or in none. It is waited for before a line goes to its reader, so that of two gets of one
   * session, in whatever processes, one gets an item.
   *
   * @param moves - one for each portal, at least one
   * @returns false when the session was elsewhere already in one of them: what was read there is not this reader's
   */
  move(moves: readonly Move[]): MaybeAsync<boolean>;
  /**
   * Stores all items of a set or none: once for each idempotency key, and in its producer's order. Wakes their readers
   * first, then tells once how it was decided. Does not throw.
   */
  set(wish: SetWish, onDecided: (outcome: SetOutcome) => void): void;
}

/** A set as a client asked for it. */
export interface SetWish {
  readonly idempotencyKey: string | undefined;
  /** Its place among the sets of one producer in this session. */
  readonly order: { readonly producer: string; readonly number: number } | undefined;
  /**
   * Reads the body: at most once, and not before it is this set's turn, and not for a repeat.
   *
   * @throws WireError with status 400 when it cannot be read: the set is decided, it is refused
   */
  items(): readonly NewItem[];
  /** What tells one body from another under the same idempotency key. */
  fingerprint(): string;
}

/** How a set was decided. */
export type SetOutcome =
  /** `isRepeat`: it was stored by an earlier request with the same idempotency key, at that time. */
  | {
      readonly kind: "applied";
      readonly serverTimestamp: number;
      readonly itemCount: number;
      readonly isRepeat: boolean;
    }
  /** For its content, for its key's other content, or for want of room to wait: nothing was stored by it. */
  | { readonly kind: "refused"; readonly error: WireError }
  /** Its number was used before, and nobody knows its idempotency key any more. */
  | { readonly kind: "past" }
  /** Its predecessors did not come in time, or one was refused, or the session is over. */
  | { readonly kind: "late" }
  /** Not decided, or nobody knows how: the same set may be sent again. */
  | { readonly kind: "failed"; readonly error: unknown };
