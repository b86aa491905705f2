/** Requests under a valid login: let through, sent again when the login is denied, heard by those who show a status. */

import { isXrtcError, XrtcError } from "../errors.js";
import { Broadcast, type Observable } from "../primitives/broadcast.js";
import { sleep, type Clock } from "../primitives/clock.js";
import type { Random } from "../primitives/random.js";
import type { Redacted } from "../primitives/redacted.js";
import type { Signal } from "../primitives/signal.js";
import { isAmbiguous } from "../protocol/error-codes.js";
import type { Limits } from "../protocol/limits.js";
import { sameStatus, type ClientStatus } from "../status.js";
import type { Lane, Transport, TransportResponse } from "../transport/transport.js";
import { Admission, type Usage } from "./admission.js";
import { answerError } from "./answer.js";
import { AmbiguousStreak } from "./ambiguous-streak.js";
import { asThrottled, leastWaitMs, parseRetryAfter, transportFailure } from "./failure.js";
import { LoginKeeper } from "./login-keeper.js";
import { logIn, type HeldLogin, type Login } from "./login.js";
import type { CounterStore } from "./month-budget.js";

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
  readonly lane: Lane;
  readonly signal: Signal;
  /** Headers beyond the usual ones, which are added to them, for the login under which the request is sent. */
  readonly headers?: (login: Login) => Record<string, string>;
  /** Called each time that the request goes out: the moment from which its deadline counts. */
  readonly onSend?: () => void;
}

export interface SessionResponse {
  readonly response: TransportResponse;
  readonly login: HeldLogin;
}

/** Times that a request is sent again under a new login. */
const REPLAYS_MAX = 2;
/** Answers in a row without the service's own words after which the host that a cookie leads to is taken for gone. */
const UNAVAILABLE_MAX = 2;

export class Session {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #status = new Broadcast<ClientStatus>({ kind: "idle" });
  readonly #admission: Admission;
  readonly #logins: LoginKeeper;
  readonly #ambiguous = new AmbiguousStreak();

  constructor(options: SessionOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#admission = new Admission(limits, clock, options.counterStore);
    this.#logins = new LoginKeeper({
      ...options,
      admit: (signal) => this.#admission.enter(signal),
      logIn: (generation, signal) =>
        logIn({ ...options, url: options.urls.login, generation, signal }),
      report: (status) => this.#report(status),
    });
  }

  get status(): Observable<ClientStatus> {
    return this.#status;
  }

  /** What was used of what the service allows. */
  get usage(): Observable<Usage> {
    return this.#admission.usage;
  }

  /** What the service offers under the present login; nothing is known before the first. */
  get extensions(): ReadonlySet<string> | undefined {
    return this.#logins.held?.extensions;
  }

  /** Milliseconds that the server's clock is ahead of this machine's; undefined before the first login. */
  get clockOffsetMs(): number | undefined {
    return this.#logins.latest?.clockOffsetMs();
  }

  /** A valid login: the present one, or the next. @throws XrtcError when that fails or the session is closed */
  async login(signal?: Signal): Promise<Login> {
    return this.#logins.current() ?? (await this.#logins.next(signal));
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
      const login = this.#enterNow() ?? (await this.#enter(options.signal));
      const response = await this.#send(call, body(login), login, options);
      if (response.status !== 401) return { response, login };
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
    this.#logins.ended(login);
  }

  /** A request was answered in full. Only the reader of a body can tell that. */
  answered(): void {
    this.#logins.proven();
    this.#admission.succeeded();
    this.#report({ kind: "connected" });
  }

  /** An answer has begun as it should; for one that stays open, that is all there is to hear for a while. */
  welcomed(): void {
    this.#report({ kind: "connected" });
  }

  /** The error that an answer with a status other than 200 means; what it says of the login is heeded. */
  async refused({ response, login }: SessionResponse): Promise<XrtcError> {
    const failure = this.#judge(await answerError(response, this.#clock.wallNow()));
    // The wait that it asks for counts from its end.
    if (failure.retryAfterMs !== undefined) this.#admission.hold(failure.retryAfterMs);
    if (failure.code === "XRTC_SESSION_DENIED") this.denied(login);
    else this.#weigh(failure, login);
    return failure;
  }

  /**
   * A request went wrong and is to be tried again.
   *
   * @param backoff - the pace of the path that repeats, in ms
   * @returns in how many ms it may be tried again: later when all retries together are too many
   */
  troubled(cause: XrtcError, failures: number, backoff: number): number {
    // An attempt that never came through loads nobody: its own pace is enough, and all are ready soon after an outage.
    const others = isXrtcError(cause, "XRTC_UNREACHABLE") ? 0 : this.#admission.retry();
    const retryInMs = Math.max(backoff, leastWaitMs(cause), others);
    if (!this.#logins.isRefused && !isXrtcError(cause, "XRTC_CLOSED")) {
      this.#report({ kind: "waiting", cause, failures, retryInMs });
    }
    return retryInMs;
  }

  /** Ends the session here; the service ends it by itself after a minute. Calling it twice is one close. */
  async close(): Promise<void> {
    await this.#logins.close();
    this.#admission.close();
    this.#report({ kind: "closed" });
  }

  #judge(failure: XrtcError): XrtcError {
    if (!isAmbiguous(failure) || !this.#ambiguous.refused(this.#clock.now())) return failure;
    return asThrottled(failure);
  }

  /** The login under which a request may go out at once, and then it is counted; undefined when it has to wait. */
  #enterNow(): HeldLogin | undefined {
    const login = this.#logins.current();
    return login !== undefined && this.#admission.tryEnter() === 0 ? login : undefined;
  }

  async #enter(signal: Signal): Promise<HeldLogin> {
    for (;;) {
      // After each wait anew: a login may end while a request waits for its turn.
      const login = this.#logins.current() ?? (await this.#logins.next(signal));
      const wait = this.#admission.tryEnter();
      if (wait === 0) return login;
      await sleep(this.#clock, wait, signal);
    }
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
      login.usedAt = this.#clock.now();
      const response = await this.#options.transport.post({ url, headers, body, lane, signal });
      this.#heed(response, url, login);
      return response;
    } catch (thrown) {
      throw transportFailure(thrown);
    }
  }

  /** What the head alone tells: it holds also when nobody stays to read the rest. */
  #heed(response: TransportResponse, url: string, login: HeldLogin): void {
    const { status } = response;
    login.usedAt = this.#clock.now();
    login.cookies.store(url, response.setCookies);
    if (status !== 503) login.unavailableInRow = 0;
    // What stands in front of the service answers for any login.
    if (status !== 401 && status < 500) login.proven = true;
    if (status === 200) return;
    const askedMs = parseRetryAfter(response.header("retry-after"), this.#clock.wallNow());
    // That holds for every request, and also when the refused one is not sent again.
    if (askedMs !== undefined) this.#admission.hold(askedMs);
  }

  /** A balancer leads each login to one host, by a cookie. When that host is gone, a new login leads to another. */
  #weigh({ status, code, serviceCode }: XrtcError, login: HeldLogin): void {
    if (status !== 503 || code !== "XRTC_UNAVAILABLE" || serviceCode !== undefined) return;
    login.unavailableInRow += 1;
    if (login.unavailableInRow >= UNAVAILABLE_MAX) this.#logins.ended(login);
  }

  #report(status: ClientStatus): void {
    const { value } = this.#status;
    // Only the first login is news; later ones are told when they fail.
    if (status.kind === "connecting" && value.kind !== "idle") return;
    if (value.kind === "closed" || sameStatus(value, status)) return;
    this.#status.set(status);
  }
}
