/** A valid login under every request: single flight, spaced, renewed when it is denied. */

import { isXrtcError, XrtcError } from "../errors.js";
import { Broadcast, type Observable } from "../primitives/broadcast.js";
import type { Cancel, Clock } from "../primitives/clock.js";
import { abortable, Deadline } from "../primitives/deadline.js";
import type { Random } from "../primitives/random.js";
import type { Redacted } from "../primitives/redacted.js";
import type { Limits } from "../protocol/limits.js";
import { sameStatus, type ClientStatus } from "../status.js";
import type { Transport, TransportResponse } from "../transport/transport.js";
import { Admission, type Usage } from "./admission.js";
import { transportFailure } from "./failure.js";
import { logIn, type HeldLogin, type Login } from "./login.js";
import type { CounterStore } from "./month-budget.js";
import { LoginPace } from "./login-pace.js";
import {
  closedError,
  LOGIN_START,
  nextLogin,
  type LoginEvent,
  type LoginMemory,
} from "./login-state.js";
import { Abort, type Signal } from "../primitives/signal.js";

export interface SessionOptions {
  readonly urls: { readonly login: string; readonly set: string; readonly get: string };
  readonly accountId: string;
  readonly apiKey: Redacted;
  readonly limits: Limits;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds for a login in all. */
  readonly requestTimeoutMs: number;
  /** Where the month's count is kept. */
  readonly counterStore?: CounterStore | undefined;
}

export interface PostOptions {
  readonly lane: "command" | "stream";
  readonly signal: Signal;
  /** Headers beyond the usual ones, which are added to them, for the login under which the request is sent. */
  readonly headers?: (login: Login) => Record<string, string>;
  /** Called each time that the request goes out: the moment from which its deadline counts. */
  readonly onSend?: () => void;
}

export interface SessionResponse {
  readonly response: TransportResponse;
  readonly login: Login;
}

/** Milliseconds before the end of an idle session at which it is taken for ended. */
const IDLE_MARGIN_MS = 1_000;
/** Times that a request is sent again under a new login. */
const REPLAYS_MAX = 2;

type Caller = { resolve(login: HeldLogin): void; reject(cause: Error): void };

export class Session {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #status = new Broadcast<ClientStatus>({ kind: "idle" });
  readonly #pace: LoginPace;
  readonly #admission: Admission;
  readonly #ended = new Abort();
  #memory: LoginMemory = LOGIN_START;
  #held: HeldLogin | undefined;
  #callers: Caller[] = [];
  #cancelWake: Cancel | undefined;
  #attempt: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#pace = new LoginPace(limits.loginIntervalMsMin, options.random);
    this.#admission = new Admission(limits, clock, options.counterStore);
  }

  get status(): Observable<ClientStatus> {
    return this.#status;
  }

  /** What was used of what the service allows. */
  get usage(): Observable<Usage> {
    return this.#admission.usage;
  }

  /** A valid login: the present one, or the next. @throws XrtcError when that fails or the session is closed */
  async login(signal?: Signal): Promise<Login> {
    return this.#current() ?? (await this.#next(signal));
  }

  /**
   * Posts under a valid login. The body is asked for anew for each login under which the request is sent.
   *
   * @throws XrtcError; the signal's reason when it is aborted
   */
  async post(
    call: "set" | "get",
    body: (login: Login) => string,
    options: PostOptions,
  ): Promise<SessionResponse> {
    for (let replays = 0; ; replays += 1) {
      const login = this.#current() ?? (await this.#next(options.signal));
      const wait = this.#admission.tryEnter();
      if (wait > 0) await this.#admission.enter(wait, options.signal);
      const response = await this.#send(call, body(login), login, options);
      if (response.status !== 401) {
        login.proven = true;
        return { response, login };
      }
      response.discard();
      this.denied(login);
      if (replays >= REPLAYS_MAX) {
        throw new XrtcError("XRTC_SESSION_DENIED", "The service denied the session repeatedly.", {
          retryable: true,
          outcome: "fail",
          status: 401,
        });
      }
    }
  }

  /** The service denied the session of this login; what it says of an older one is passed over. */
  denied(login: Login): void {
    const held = this.#held;
    if (held?.generation !== login.generation) return;
    this.#held = undefined;
    if (!held.proven) {
      const earliestAt = Math.max(this.#memory.earliestAt, this.#pace.useless(this.#clock.now()));
      this.#memory = { ...this.#memory, earliestAt };
    }
    this.#step({ kind: "denied", generation: login.generation });
  }

  /** What the service offers under the present login; nothing is known before the first. */
  get extensions(): ReadonlySet<string> | undefined {
    return this.#held?.extensions;
  }

  /** A request was answered in full. Only the reader of a body can tell that. */
  answered(): void {
    this.#pace.proven(this.#clock.now());
    this.#admission.succeeded();
    this.#report({ kind: "connected" });
  }

  /**
   * A request went wrong and is to be tried again.
   *
   * @param backoff - the pace of the path that repeats, in ms
   * @returns in how many ms it may be tried again: later when all retries together are too many
   */
  troubled(cause: XrtcError, failures: number, backoff: number): number {
    const retryInMs = Math.max(backoff, this.#admission.retry());
    if (cause.retryAfterMs !== undefined) this.askedToWait(cause.retryAfterMs);
    const { state } = this.#memory;
    if (state.kind !== "refused" && !isXrtcError(cause, "XRTC_CLOSED")) {
      this.#report({ kind: "waiting", cause, failures, retryInMs });
    }
    return retryInMs;
  }

  /** The service asked to wait; that holds for every request, and also when the refused one is not sent again. */
  askedToWait(ms: number): void {
    this.#admission.hold(ms);
  }

  /** Ends the session here; the service ends it by itself after a minute. Calling it twice is one close. */
  async close(): Promise<void> {
    this.#cancelWake?.();
    this.#step({ kind: "closed" });
    this.#held = undefined;
    this.#ended.abort(closedError());
    await this.#attempt;
    this.#admission.close();
    this.#report({ kind: "closed" });
  }

  #current(): HeldLogin | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    const now = this.#clock.now();
    if (now - held.usedAt > this.#options.limits.sessionIdleMsMax - IDLE_MARGIN_MS) {
      // The service has ended it: logging in now saves the request that would only be denied.
      this.#held = undefined;
      this.#step({ kind: "denied", generation: held.generation });
      return undefined;
    }
    held.usedAt = now;
    return held;
  }

  #next(signal: Signal | undefined): Promise<HeldLogin> {
    const login = new Promise<HeldLogin>((resolve, reject) => {
      this.#callers.push({ resolve, reject });
    });
    this.#step({ kind: "wanted", now: this.#clock.now() });
    return abortable(login, signal);
  }

  async #send(
    call: "set" | "get",
    body: string,
    login: HeldLogin,
    options: PostOptions,
  ): Promise<TransportResponse> {
    const url = this.#options.urls[call];
    const cookie = login.cookies.header(url);
    const headers = options.headers?.(login) ?? {};
    headers["content-type"] = "application/json";
    if (cookie !== undefined) headers["cookie"] = cookie;
    try {
      const { lane, signal } = options;
      options.onSend?.();
      const response = await this.#options.transport.post({ url, headers, body, lane, signal });
      login.cookies.store(url, response.setCookies);
      login.usedAt = this.#clock.now();
      return response;
    } catch (thrown) {
      throw transportFailure(thrown);
    }
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
    if (this.#status.value.kind === "idle") this.#report({ kind: "connecting" });
    let startedAt = this.#clock.now();
    const deadline = new Deadline(this.#clock, this.#ended.signal);
    const { requestTimeoutMs } = this.#options;
    deadline.set(requestTimeoutMs, () => timeoutError("The login", requestTimeoutMs));
    try {
      const wait = this.#admission.tryEnter();
      if (wait > 0) await this.#admission.enter(wait, deadline.signal);
      // The next one keeps its distance from when this one goes out, not from when it was thought of.
      startedAt = this.#clock.now();
      const { urls, accountId, apiKey, transport } = this.#options;
      const generation = this.#memory.generation + 1;
      const account = { url: urls.login, accountId, apiKey, generation };
      const ports = { transport, clock: this.#clock, signal: deadline.signal };
      const held = await logIn({ ...account, ...ports });
      // Closed in the meantime: what arrived belongs to nobody.
      if (this.#ended.signal.aborted) return;
      this.#held = held;
      this.#step({ kind: "succeeded", nextAt: this.#pace.succeeded(startedAt) });
      this.#report({ kind: "connected" });
    } catch (thrown) {
      this.#loginFailed(asXrtc(thrown), startedAt);
    } finally {
      deadline.dispose();
    }
  }

  #loginFailed(thrown: XrtcError, startedAt: number): void {
    if (this.#memory.state.kind === "closed") return;
    const now = this.#clock.now();
    const { cause, nextAt, waiters } = this.#pace.failed(thrown, startedAt, now);
    this.#step({ kind: "failed", cause, nextAt, waiters });
    const retryInMs = nextAt - now;
    if (waiters === "give up") this.#report({ kind: "refused", cause, retryInMs });
    else this.#report({ kind: "waiting", cause, failures: this.#pace.failures, retryInMs });
  }

  #report(status: ClientStatus): void {
    if (this.#status.value.kind === "closed" || sameStatus(this.#status.value, status)) return;
    this.#status.set(status);
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
