/** When to log in, as a pure state machine. The shell (login-keeper.ts) keeps the clock, the waiting callers and the wire. */

import { XrtcError } from "../errors.js";

export type LoginState =
  /** No login; the next request asks for one. */
  | { readonly kind: "resting" }
  /** Somebody waits for a login that may not start yet. */
  | { readonly kind: "scheduled" }
  | { readonly kind: "loggingIn" }
  | { readonly kind: "ready"; readonly generation: number }
  /** The credentials or the endpoint are wrong: it takes a person to change that. */
  | { readonly kind: "refused"; readonly cause: XrtcError; readonly retryAt: number }
  | { readonly kind: "closed" };

export interface LoginMemory {
  readonly state: LoginState;
  /** Logins so far: the number of the latest. */
  readonly generation: number;
  /** No attempt starts before this moment (monotonic ms). */
  readonly earliestAt: number;
}

export type LoginEvent =
  | { readonly kind: "wanted"; readonly now: number }
  | { readonly kind: "due" }
  | { readonly kind: "succeeded"; readonly nextAt: number }
  | {
      readonly kind: "failed";
      readonly cause: XrtcError;
      readonly nextAt: number;
      /**
       * `give up`: it takes a person to change something. `tell`: those who wait are told, and may ask again.
       * `wait`: it will do in a while, and they wait on.
       */
      readonly waiters: "give up" | "tell" | "wait";
    }
  /** The session of that generation is of no use any more: denied, rested for too long, or its host is gone. */
  | { readonly kind: "ended"; readonly generation: number }
  | { readonly kind: "closed" };

export type LoginEffect =
  | { readonly kind: "logIn" }
  | { readonly kind: "wakeAt"; readonly at: number }
  /** Those who wait get the login. */
  | { readonly kind: "grant" }
  | { readonly kind: "reject"; readonly cause: XrtcError };

export type LoginStep = readonly [LoginMemory, readonly LoginEffect[]];

type Cell<S extends LoginState["kind"], E extends LoginEvent["kind"]> = (
  memory: LoginMemory & { readonly state: Extract<LoginState, { kind: S }> },
  event: Extract<LoginEvent, { kind: E }>,
) => LoginStep;

type Table = {
  readonly [S in LoginState["kind"]]: { readonly [E in LoginEvent["kind"]]: Cell<S, E> };
};

export const LOGIN_START: LoginMemory = {
  state: { kind: "resting" },
  generation: 0,
  earliestAt: 0,
};

const stay = (memory: LoginMemory): LoginStep => [memory, []];

const to = (memory: LoginMemory, state: LoginState, ...effects: LoginEffect[]): LoginStep => [
  { ...memory, state },
  effects,
];

const begin = (memory: LoginMemory, now: number): LoginStep =>
  now >= memory.earliestAt
    ? to(memory, { kind: "loggingIn" }, { kind: "logIn" })
    : to(memory, { kind: "scheduled" }, { kind: "wakeAt", at: memory.earliestAt });

const close = (memory: LoginMemory): LoginStep =>
  to(memory, { kind: "closed" }, { kind: "reject", cause: closedError() });

export const closedError = (): XrtcError =>
  new XrtcError("XRTC_CLOSED", "The client is closed.", { outcome: "fail" });

/** Every state answers every event; a missing cell does not compile. */
const TABLE: Table = {
  resting: {
    wanted: (memory, { now }) => begin(memory, now),
    due: stay,
    succeeded: stay,
    failed: stay,
    ended: stay,
    closed: close,
  },
  scheduled: {
    wanted: stay,
    due: (memory) => to(memory, { kind: "loggingIn" }, { kind: "logIn" }),
    succeeded: stay,
    failed: stay,
    ended: stay,
    closed: close,
  },
  loggingIn: {
    wanted: stay,
    due: stay,
    succeeded(memory, { nextAt }) {
      const generation = memory.generation + 1;
      return [
        { state: { kind: "ready", generation }, generation, earliestAt: nextAt },
        [{ kind: "grant" }],
      ];
    },
    failed(memory, { cause, nextAt, waiters }) {
      const next = { ...memory, earliestAt: nextAt };
      const reject: LoginEffect = { kind: "reject", cause };
      switch (waiters) {
        case "give up":
          return to(next, { kind: "refused", cause, retryAt: nextAt }, reject);
        case "tell":
          return to(next, { kind: "resting" }, reject);
        case "wait":
          return to(next, { kind: "scheduled" }, { kind: "wakeAt", at: nextAt });
        default:
          return waiters satisfies never;
      }
    },
    ended: stay,
    closed: close,
  },
  ready: {
    wanted: (memory) => [memory, [{ kind: "grant" }]],
    due: stay,
    succeeded: stay,
    failed: stay,
    // The end of an older login says nothing about this one.
    ended: (memory, { generation }) =>
      generation === memory.state.generation ? to(memory, { kind: "resting" }) : stay(memory),
    closed: close,
  },
  refused: {
    wanted: (memory, { now }) =>
      now >= memory.state.retryAt
        ? to(memory, { kind: "loggingIn" }, { kind: "logIn" })
        : [memory, [{ kind: "reject", cause: memory.state.cause }]],
    due: stay,
    succeeded: stay,
    failed: stay,
    ended: stay,
    closed: close,
  },
  closed: {
    wanted: (memory) => [memory, [{ kind: "reject", cause: closedError() }]],
    due: stay,
    succeeded: stay,
    failed: stay,
    ended: stay,
    closed: stay,
  },
};

export function nextLogin(memory: LoginMemory, event: LoginEvent): LoginStep {
  // The table is total over both unions; TypeScript cannot follow a lookup by two keys at once.
  const cell = TABLE[memory.state.kind][event.kind] as (m: LoginMemory, e: LoginEvent) => LoginStep;
  return cell(memory, event);
}
