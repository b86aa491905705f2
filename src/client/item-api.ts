/** Items in, items out: the two calls on items over a session, each with its deadlines and its errors. */

import { XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import { Semaphore } from "../primitives/semaphore.js";
import {
  decodeLine,
  decodeSetAnswer,
  encodeGet,
  encodeSet,
  type ReceivedLine,
} from "../protocol/codec.js";
import type { GetRequest, Mode } from "../protocol/item.js";
import { JsonRefusedError } from "../protocol/json.js";
import { RECEIVED_LINE_BYTES_MAX } from "../protocol/limits.js";
import { LineTooLongError } from "../protocol/ndjson.js";
import { readBody } from "../session/answer.js";
import { streamFailure, transportFailure } from "../session/failure.js";
import type { Login } from "../session/login.js";
import { timeoutError } from "../session/login-keeper.js";
import type { Session, SessionResponse } from "../session/session.js";
import { Lines } from "./lines.js";
import { Watchdog } from "./watchdog.js";
import type { Signal } from "../primitives/signal.js";

export interface CallTimes {
  /** Milliseconds for a set, and for a probe, from its first byte out to its last byte in. */
  readonly requestTimeoutMs: number;
  /** Milliseconds that an open get may be silent. */
  readonly streamSilenceMs: number;
  /** Milliseconds that an open get may last in all. */
  readonly streamTimeoutMs: number;
  /** Requests that may be open at a time. */
  readonly concurrentMax: number;
}

/** The answer to a get while it arrives. */
export interface GetTurn {
  readonly login: Login;
  /**
   * Each line when it is complete. Ends only when the answer is whole; throws an XrtcError when it is not. Leaving the
   * loop gives the request up.
   */
  readonly lines: AsyncIterable<ReceivedLine>;
}

export interface SetCall {
  readonly signal: Signal;
  /** Sent as `Idempotency-Key`; the same on each attempt of the same batch. */
  readonly idempotencyKey: string;
  /** The request's place among those in flight, under a login. */
  place(generation: number): { readonly producer: string; readonly sequence: number };
  /** Whether no set before it is without an answer: where places do not count, only that one may go out. */
  isFirst(): boolean;
  /** Called when the request goes out. */
  sent(): void;
  /** Bounds what is left of the call: its signal is aborted after so many ms at the latest. */
  within(ms: number, reason: () => Error): void;
}

export interface SetAnswer {
  /** UNIX ms of the server's clock. */
  readonly serverTimestamp: number;
  /** Whether the service recognises a request that it has already applied. */
  readonly idempotent: boolean;
}

/** Sets that may be in flight where the server keeps their order. */
const ORDERED_WINDOW = 16;

/** Satisfies what the writer and the subscriptions ask for. */
export class ItemApi {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #times: CallTimes;
  readonly #slots: Semaphore;

  constructor(session: Session, clock: Clock, times: CallTimes) {
    this.#session = session;
    this.#clock = clock;
    this.#times = times;
    this.#slots = new Semaphore(times.concurrentMax);
  }

  /**
   * One set request.
   *
   * @param encodedItems - items as `encodeItem` wrote them
   * @throws XrtcError with its `outcome`
   */
  async set(encodedItems: readonly string[], call: SetCall): Promise<SetAnswer> {
    const { requestTimeoutMs } = this.#times;
    // Without a turn of the event loop where none has to be waited for.
    const giveBack = this.#slots.tryTake() ?? (await this.#slots.take(call.signal));
    const body = encodeSet(encodedItems);
    try {
      const { response, login } = await this.#session.post("set", () => body, {
        lane: this.windowMax > 1 ? "ordered" : "command",
        signal: call.signal,
        headers: (under) => setHeaders(call, under),
        onSend: () => {
          call.sent();
          call.within(requestTimeoutMs, () => timeoutError("The set", requestTimeoutMs));
        },
      });
      if (response.status !== 200) throw await this.#session.refused({ response, login });
      const serverTimestamp = decodeSetAnswer(await readBody(response));
      if (serverTimestamp === undefined) throw unreadable("The answer to a set has no timestamp.");
      this.#session.answered();
      return { serverTimestamp, idempotent: login.extensions.has("idempotency") };
    } catch (thrown) {
      throw thrown instanceof JsonRefusedError
        ? unreadable("The answer to a set is not JSON.", thrown)
        : thrown;
    } finally {
      giveBack();
    }
  }

  /**
   * One get request. Resolves when the head of its answer is there.
   *
   * @param mode - that of the request
   * @param request - made for the login under which it is sent
   * @throws XrtcError; the signal's reason when it is aborted
   */
  async get(mode: Mode, request: (login: Login) => GetRequest, signal?: Signal): Promise<GetTurn> {
    const giveBack = await this.#slots.take(signal);
    const deadline = new Deadline(this.#clock, signal);
    const end = (): void => {
      deadline.dispose();
      giveBack();
    };
    const watchdog = new Watchdog(deadline, this.#clock, this.#durations(mode));
    try {
      const answer = await this.#session.post("get", (login) => encodeGet(request(login)), {
        lane: mode === "probe" ? "command" : "stream",
        signal: deadline.signal,
        onSend: () => watchdog.start(),
      });
      if (answer.response.status !== 200) throw await this.#session.refused(answer);
      this.#session.welcomed();
      return { login: answer.login, lines: this.#lines(answer, mode, watchdog, end) };
    } catch (thrown) {
      end();
      throw thrown;
    }
  }

  /** A valid login: the present one, or the next. */
  login(signal: Signal): Promise<Login> {
    return this.#session.login(signal);
  }

  /** Tells that a call failed and when it is tried again. */
  troubled(cause: XrtcError, failures: number, backoff: number): number {
    return this.#session.troubled(cause, failures, backoff);
  }

  /** Sets that may be in flight at a time without changing places. */
  get windowMax(): number {
    return isOrdered(this.#session.extensions) ? ORDERED_WINDOW : 1;
  }

  #durations(mode: Mode): { readonly silenceMs: number; readonly totalMs: number } {
    const { requestTimeoutMs, streamSilenceMs, streamTimeoutMs } = this.#times;
    if (mode === "probe") return { silenceMs: requestTimeoutMs, totalMs: requestTimeoutMs };
    return { silenceMs: streamSilenceMs, totalMs: streamTimeoutMs };
  }

  #lines(
    { response, login }: SessionResponse,
    mode: Mode,
    watchdog: Watchdog,
    end: () => void,
  ): Lines {
    // A stream is read as it comes and ends in time; what answers at once is kept until it is whole.
    let bytesLeft = mode === "stream" ? Infinity : ANSWER_BYTES_MAX;
    return new Lines({
      body: response.body[Symbol.asyncIterator](),
      watchdog,
      decode: (line) => {
        bytesLeft -= line.length;
        if (bytesLeft < 0) throw unreadable("The answer is too long.");
        return this.#decode(line, login);
      },
      failure: (thrown) =>
        thrown instanceof LineTooLongError
          ? unreadable("The answer's line is too long.", thrown)
          : transportFailure(thrown),
      completed: () => this.#session.answered(),
      ended: () => {
        response.discard();
        end();
      },
    });
  }

  #decode(line: Uint8Array, login: Login): ReceivedLine {
    let decoded: ReceivedLine | undefined;
    try {
      decoded = decodeLine(line);
    } catch (thrown) {
      if (!(thrown instanceof JsonRefusedError)) throw thrown;
      throw unreadable(`A line of the answer cannot be read: ${thrown.message}.`, thrown);
    }
    if (decoded === undefined) throw unreadable("A line of the answer is not a JSON object.");
    if (decoded.error !== undefined) {
      const failure = streamFailure(decoded.error);
      if (failure.code === "XRTC_SESSION_DENIED") this.#session.denied(login);
      throw failure;
    }
    return decoded;
  }
}

/** Bytes of an answer that does not stream: more than the items of any account come to. */
const ANSWER_BYTES_MAX = 64 * RECEIVED_LINE_BYTES_MAX;

/** Order needs the keys as well: a number that comes again must be known for what it was. */
const isOrdered = (extensions: ReadonlySet<string> | undefined): boolean =>
  extensions?.has("order") === true && extensions.has("idempotency");

function setHeaders(call: SetCall, login: Login): Record<string, string> {
  if (!isOrdered(login.extensions)) {
    // Several were under way under the login before, and nothing would keep their order under this one.
    if (!call.isFirst()) throw outOfTurn();
    return { "idempotency-key": call.idempotencyKey };
  }
  const { producer, sequence } = call.place(login.generation);
  return {
    "idempotency-key": call.idempotencyKey,
    "xrtc-producer": producer,
    "xrtc-sequence": String(sequence),
  };
}

const outOfTurn = (): XrtcError =>
  new XrtcError("XRTC_SESSION_DENIED", "The session ended with sets before this one unanswered.", {
    retryable: true,
    outcome: "fail",
  });

const unreadable = (message: string, cause?: Error): XrtcError =>
  new XrtcError("XRTC_RESPONSE_INVALID", message, { retryable: true, outcome: "unknown", cause });
