/** One attempt to log in, and what a login holds while it lasts. */

import { XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import type { Redacted } from "../primitives/redacted.js";
import { decodeLogin, encodeLogin } from "../protocol/codec.js";
import { JsonRefusedError } from "../protocol/json.js";
import { Cookies } from "../transport/cookies.js";
import type { Transport } from "../transport/transport.js";
import { answerError, readBody } from "./answer.js";
import { transportFailure } from "./failure.js";
import type { Signal } from "../primitives/signal.js";

/** One login: what belongs to it ends with it. */
export interface Login {
  /** The how-manieth login of this client it is. */
  readonly generation: number;
  /** One life of the server's memory, where the server tells. */
  readonly epoch: string | undefined;
  readonly extensions: ReadonlySet<string>;
  /** The server's clock now, in UNIX ms, as far as the login's answer tells: never ahead of it but by drift. */
  serverNow(): number;
  /** Milliseconds that the server's clock is ahead of this machine's now, as well as one exchange can tell. */
  clockOffsetMs(): number;
}

export interface HeldLogin extends Login {
  readonly cookies: Cookies;
  /** When it was last used (monotonic ms): it ends a minute after that. */
  usedAt: number;
  /** Whether the service itself answered any request under it. */
  proven: boolean;
  /** Answers in a row that somebody in front of the service gave: there is nothing behind the balancer's cookie. */
  unavailableInRow: number;
}

export interface LoginRequest {
  readonly url: string;
  readonly accountId: string;
  readonly apiKey: Redacted;
  readonly generation: number;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: Signal;
}

/** @throws XrtcError; the signal's reason when it is aborted */
export async function logIn(request: LoginRequest): Promise<HeldLogin> {
  const { url, accountId, apiKey, transport, clock, signal } = request;
  try {
    // A jar for each login: a late answer of the old one must not overwrite the new cookies.
    const cookies = new Cookies();
    const sentAt = clock.now();
    const response = await transport.post({
      url,
      headers: { "content-type": "application/json" },
      body: encodeLogin(accountId, apiKey.reveal()),
      lane: "command",
      signal,
    });
    if (response.status !== 200) {
      const failure = await answerError(response, clock.wallNow());
      // Without the service's own words, nobody knows what was refused: that must not wait for a person.
      if (response.status === 400 && failure.serviceCode === undefined) throw notXrtc();
      throw response.status === 404 && !VERSIONED.test(url) ? noVersion(failure) : failure;
    }
    cookies.store(url, response.setCookies);
    const answer = decodeLogin(await readBody(response));
    if (answer === undefined) throw notXrtc();
    const { serverTimestamp, epoch, extensions } = answer;
    const receivedAt = clock.now();
    return {
      generation: request.generation,
      epoch,
      extensions,
      serverNow: () => Math.floor(serverTimestamp + clock.now() - receivedAt),
      // Halfway between question and answer is the best guess of when the server looked at its clock. Asked anew each
      // time, because the clock of this machine may be set meanwhile.
      clockOffsetMs: () => {
        const elapsed = clock.now() - (sentAt + receivedAt) / 2;
        return Math.round(serverTimestamp + elapsed - clock.wallNow());
      },
      cookies,
      usedAt: receivedAt,
      proven: false,
      unavailableInRow: 0,
    };
  } catch (thrown) {
    throw thrown instanceof JsonRefusedError ? notXrtc(thrown) : transportFailure(thrown);
  }
}

/** What comes before a call in an address of the service's own. */
const VERSIONED = /\/v\d+\/auth\/login$/;

/** The slip that nearly everybody makes once. */
const noVersion = (failure: XrtcError): XrtcError =>
  new XrtcError(failure.code, `${failure.message} Is a /v1 missing at the end of the base URL?`, {
    outcome: "fail",
    status: 404,
    cause: failure,
  });

const notXrtc = (cause?: Error): XrtcError =>
  new XrtcError("XRTC_RESPONSE_INVALID", "What answered the login is not an XRTC service.", {
    retryable: true,
    cause,
  });
