/** A free account and key, in two steps: an e-mail address, then the code that was sent to it. */

import type * as z from "zod";
import { XrtcError } from "../errors.js";
import { systemClock, type Clock } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import { Redacted } from "../primitives/redacted.js";
import { JsonRefusedError, parseJson } from "../protocol/json.js";
import { HOSTED_BASE_URL, PATHS } from "../protocol/paths.js";
import { wireRegistrationCodeAnswer, wireRegistrationStartAnswer } from "../protocol/schemas.js";
import { answerError, readBody } from "../session/answer.js";
import { transportFailure } from "../session/failure.js";
import { timeoutError } from "../session/login-keeper.js";
import type { Transport } from "../transport/transport.js";
import type { ProxyOptions } from "../transport/proxy-route.js";
import { UndiciTransport } from "../transport/undici-transport.js";
import { routeFor, tlsSettings, type TlsOptions } from "./network.js";
import { checkUrl } from "./urls.js";

/** Options of both steps of a registration. */
export interface RegistrationOptions {
  /** @defaultValue "https://api.xrtc.org/v1" */
  readonly baseUrl?: string | undefined;
  /** Allow plain `http:` to another machine. @defaultValue false */
  readonly allowInsecure?: boolean | undefined;
  /** As {@link XrtcClientOptions} has it. */
  readonly tls?: TlsOptions | undefined;
  /** As {@link XrtcClientOptions} has it. */
  readonly proxy?: string | ProxyOptions | false | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Time and the network as parameters. */
  readonly ports?: { readonly clock?: Clock; readonly transport?: Transport } | undefined;
}

/** A new account with its first key. */
export interface Registered {
  readonly accountId: string;
  /** `reveal()` gives it, once is enough: keep it where secrets are kept. */
  readonly apiKey: Redacted;
  /** The service's name for the key. */
  readonly apiKeyName: string | undefined;
}

/** Milliseconds for each of the two calls. */
const DEADLINE_MS = 10_000;

/**
 * Asks the service to send a code to an e-mail address.
 *
 * @param email - where the code goes
 * @param options.token - of an earlier call, to have its code sent again
 * @returns the token for {@link finishRegistration}, good for 5 minutes
 * @throws XrtcError `XRTC_REGISTRATION` with the service's own code and words; those of any request
 */
export async function startRegistration(
  email: string,
  options: RegistrationOptions & { readonly token?: string | undefined } = {},
): Promise<string> {
  const { token } = options;
  const body = token === undefined ? { email } : { email, registrationtoken: token };
  const path = PATHS.registrationStart;
  return (await call(path, body, wireRegistrationStartAnswer, options)).registrationtoken;
}

/**
 * Exchanges the code for an account and a key.
 *
 * @param token - from {@link startRegistration}
 * @param code - from the e-mail
 * @throws XrtcError `XRTC_REGISTRATION` with the service's own code and words; those of any request
 */
export async function finishRegistration(
  token: string,
  code: string,
  options: RegistrationOptions = {},
): Promise<Registered> {
  const body = { registrationtoken: token, emailcode: code };
  const answer = await call(PATHS.registrationCode, body, wireRegistrationCodeAnswer, options);
  return {
    accountId: answer.accountid,
    apiKey: new Redacted(answer.apikey),
    apiKeyName: answer.apikeyname,
  };
}

async function call<T>(
  path: string,
  body: object,
  schema: z.ZodType<T>,
  options: RegistrationOptions,
): Promise<T> {
  const { ports = {}, signal, allowInsecure = false } = options;
  const url = (options.baseUrl ?? HOSTED_BASE_URL).replace(/\/+$/, "") + path;
  checkUrl("base", url, allowInsecure);
  const clock = ports.clock ?? systemClock;
  const transport = ports.transport ?? transportOf(options);
  const deadline = new Deadline(clock, signal);
  deadline.set(DEADLINE_MS, () => timeoutError("The registration", DEADLINE_MS));
  try {
    const response = await transport.post({
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      lane: "command",
      signal: deadline.signal,
    });
    if (response.status !== 200) throw asRegistration(await answerError(response, clock.wallNow()));
    const answer = schema.safeParse(parseJson(await readBody(response)));
    if (answer.success) return answer.data;
    throw notXrtc();
  } catch (thrown) {
    throw thrown instanceof JsonRefusedError ? notXrtc(thrown) : transportFailure(thrown);
  } finally {
    deadline.dispose();
    if (ports.transport === undefined) await transport.close();
  }
}

const transportOf = ({ tls, proxy }: RegistrationOptions): Transport =>
  new UndiciTransport({ tls: tlsSettings(tls), routeOf: routeFor(proxy, process.env) });

/** The service said why; what it said keeps its code. */
const asRegistration = (failure: XrtcError): XrtcError =>
  failure.serviceCode === undefined
    ? failure
    : new XrtcError("XRTC_REGISTRATION", failure.message, {
        serviceCode: failure.serviceCode,
        ...(failure.serviceGroup === undefined ? {} : { serviceGroup: failure.serviceGroup }),
        cause: failure,
      });

const notXrtc = (cause?: Error): XrtcError =>
  new XrtcError("XRTC_RESPONSE_INVALID", "What answered is not an XRTC service.", {
    retryable: true,
    cause,
  });
