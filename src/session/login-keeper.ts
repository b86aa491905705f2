/** One login for all requests: asked for once, spaced, and told to everybody who waits for it. */

import { isXrtcError, XrtcError } from "../errors.js";
import type { Cancel, Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import type { Random } from "../primitives/random.js";
import { Abort, type Signal } from "../primitives/signal.js";
import type { Limits } from "../protocol/limits.js";
import type { ClientStatus } from "../status.js";
import type { HeldLogin, Login } from "./login.js";
import { LoginPace } from "./login-pace.js";
import {
  closedError,
  LOGIN_START,
  nextLogin,
  type LoginEvent,
  type LoginMemory,
} from "./login-state.js";

export interface LoginKeeperOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Pick<Limits, "loginIntervalMsMin" | "sessionIdleMsMax">;
  /** Milliseconds for one attempt in all. */
  readonly requestTimeoutMs: number;
  /** Resolves when a request may go out. */
  readonly admit: (signal: Signal) => Promise<void>;
  /** One attempt. @throws XrtcError; the signal's reason when it is aborted */
  readonly logIn: (generation: number, signal: Signal) => Promise<HeldLogin>;
  readonly report: (status: ClientStatus) => void;
}

/** Milliseconds before the end of an idle session at which it is taken for ended. */
const IDLE_MARGIN_MS = 1_000;

type Caller = { resolve(login: HeldLogin): void; reject(cause: Error): void };

/** The shell of the state machine of login-state.ts: its clock, its waiting callers, its attempts. */
export class LoginKeeper {
  readonly #options: LoginKeeperOptions;
  readonly #clock: Clock;
  readonly #pace: LoginPace;
  readonly #ended = new Abort();
  #memory: LoginMemory = LOGIN_START;
  #held: HeldLogin | undefined;
  #latest: Login | undefined;
  #callers: Caller[] = [];
  #cancelWake: Cancel | undefined;
  #attempt: Promise<void> = Promise.resolve();

  constructor(options: LoginKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#pace = new LoginPace(options.limits.loginIntervalMsMin, options.random);
  }

  /** The login that is there, even when it has rested for too long. */
  get held(): Login | undefined {
    return this.#held;
  }

  /** The last login that succeeded, whether it still holds or not. */
  get latest(): Login | undefined {
    return this.#latest;
  }

  /** Whether it takes a person to change something before a login can succeed. */
  get isRefused(): boolean {
    return this.#memory.state.kind === "refused";
  }

  /** The present login, unless it has rested for so long that the service has ended it. */
  current(): HeldLogin | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    const restedMs = this.#clock.now() - held.usedAt;
    if (restedMs <= this.#options.limits.sessionIdleMsMax - IDLE_MARGIN_MS) return held;
    // Logging in now saves the request that would only be denied.
    this.#forget(held);
    return undefined;
  }

  /** The next login. @throws XrtcError when it fails or the keeper is closed; the signal's reason */
  next(signal: Signal | undefined): Promise<HeldLogin> {
    const login = new Promise<HeldLogin>((resolve, reject) => {
      this.#callers.push({ resolve, reject });
    });
    this.#step({ kind: "wanted", now: this.#clock.now() });
    return abortable(login, signal);
  }

  /** A login turned out to be of no use any more; what is said of an older one is passed over. */
  ended(login: Login): void {
    const held = this.#held;
    if (held?.generation !== login.generation) return;
    if (!held.proven) {
      const earliestAt = Math.max(this.#memory.earliestAt, this.#pace.useless(this.#clock.now()));
      this.#memory = { ...this.#memory, earliestAt };
    }
    this.#forget(held);
  }

  /** A request was answered in full under a login. */
  proven(): void {
    this.#pace.proven(this.#clock.now());
  }

  /** Tells all who wait `XRTC_CLOSED`. Resolves when no attempt is under way any more. */
  async close(): Promise<void> {
    this.#cancelWake?.();
    this.#step({ kind: "closed" });
    this.#held = undefined;
    this.#ended.abort(closedError());
    await this.#attempt;
  }

  #forget({ generation }: HeldLogin): void {
    this.#held = undefined;
    this.#step({ kind: "ended", generation });
  }

  #step(event: LoginEvent): void {
    const [memory, effects] = nextLogin(this.#memory, event);
    this.#memory = memory;
    for (const effect of effects) {
      switch (effect.kind) {
        case "logIn":
          this.#attempt = this.#logIn();
          break;
        case "wakeAt":
          this.#cancelWake = this.#clock.schedule(effect.at - this.#clock.now(), () =>
            this.#step({ kind: "due" }),
          );
          break;
        case "grant":
          this.#settle((caller) => this.#held && caller.resolve(this.#held));
          break;
        case "reject":
          this.#settle((caller) => caller.reject(effect.cause));
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #settle(settle: (caller: Caller) => void): void {
    const callers = this.#callers;
    this.#callers = [];
    for (const caller of callers) settle(caller);
  }

  /** One attempt. It never throws: its end is an event. */
  async #logIn(): Promise<void> {
    const { requestTimeoutMs, admit, logIn, report } = this.#options;
    report({ kind: "connecting" });
    let startedAt = this.#clock.now();
    const deadline = new Deadline(this.#clock, this.#ended.signal);
    try {
      await admit(deadline.signal);
      // Distance and deadline count from when it goes out, not from when it was thought of.
      startedAt = this.#clock.now();
      deadline.set(requestTimeoutMs, () => timeoutError("The login", requestTimeoutMs));
      const held = await logIn(this.#memory.generation + 1, deadline.signal);
      // Closed in the meantime: what arrived belongs to nobody.
      if (this.#ended.signal.aborted) return;
      this.#held = held;
      this.#latest = held;
      this.#step({ kind: "succeeded", nextAt: this.#pace.succeeded(startedAt) });
      report({ kind: "connected" });
    } catch (thrown) {
      this.#failed(asXrtc(thrown), startedAt);
    } finally {
      deadline.dispose();
    }
  }

  #failed(thrown: XrtcError, startedAt: number): void {
    if (this.#memory.state.kind === "closed") return;
    const now = this.#clock.now();
    const { cause, nextAt, waiters } = this.#pace.failed(thrown, startedAt, now);
    this.#step({ kind: "failed", cause, nextAt, waiters });
    const retryInMs = nextAt - now;
    const { report } = this.#options;
    if (waiters === "give up") report({ kind: "refused", cause, retryInMs });
    else report({ kind: "waiting", cause, failures: this.#pace.failures, retryInMs });
  }
}

export const timeoutError = (what: string, ms: number): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", `${what} took longer than ${ms} ms.`, {
    retryable: true,
    outcome: "unknown",
  });

const asXrtc = (thrown: unknown): XrtcError =>
  isXrtcError(thrown)
    ? thrown
    : new XrtcError("XRTC_RESPONSE_INVALID", "The login failed in an unexpected way.", {
        retryable: true,
        cause: thrown,
      });
