/** The client's options: parsed once, strictly, and resolved to what the layers below need. */

import * as z from "zod";
import { XrtcError } from "../errors.js";
import { systemClock, type Clock } from "../primitives/clock.js";
import { systemRandom, type Random } from "../primitives/random.js";
import { Redacted } from "../primitives/redacted.js";
import { reasonOf } from "../protocol/codec.js";
import { isAccountId, isApiKey } from "../protocol/item.js";
import { LIMITS, type Limits, type LimitsPreset } from "../protocol/limits.js";
import { HOSTED_BASE_URL, PATHS } from "../protocol/paths.js";
import { ENV_FILE, firstGiven, readEnvFile, type Environment } from "../session/environment.js";
import { CounterFile } from "../session/counter-file.js";
import type { CounterStore } from "../session/month-budget.js";
import type { Transport } from "../transport/transport.js";
import { badOption, checkUrl } from "./urls.js";

/** Every option may be left out. Credentials and URLs then come from the environment, else from a dotenv file. */
export interface XrtcClientOptions {
  /** `AC` and digits. Else `ACCOUNT_ID`. */
  readonly accountId?: string | undefined;
  /** 32 ASCII letters and digits. Else `API_KEY`. */
  readonly apiKey?: string | Redacted | undefined;
  /** Base of the three URLs. @defaultValue "https://api.xrtc.org/v1" */
  readonly baseUrl?: string | undefined;
  /** Else `LOGIN_URL`, else from the base URL. */
  readonly loginUrl?: string | undefined;
  /** Else `SET_URL`, else from the base URL. */
  readonly setUrl?: string | undefined;
  /** Else `GET_URL`, else from the base URL. */
  readonly getUrl?: string | undefined;
  /** Dotenv file with the credentials, and with the URLs unless `connectionEnvFile` names another. @defaultValue "xrtc.env" */
  readonly envFile?: string | undefined;
  /** Dotenv file with the URLs. @defaultValue the same file as the credentials' */
  readonly connectionEnvFile?: string | undefined;
  /** The limits of the service. @defaultValue "hosted" for xrtc.org, "local" elsewhere */
  readonly limits?: LimitsPreset | Partial<Limits> | undefined;
  /** Allow plain `http:` to another machine, where anybody on the way can read along. @defaultValue false */
  readonly allowInsecure?: boolean | undefined;
  /** Requests that may go out for one set. @defaultValue 6, minimum 1 */
  readonly attemptsMax?: number | undefined;
  /** Milliseconds after which a set that is not confirmed fails. @defaultValue 60000, minimum 1 */
  readonly retryMsMax?: number | undefined;
  /** Writes that may wait; one more is refused. @defaultValue 10000, minimum 1 */
  readonly queueCountMax?: number | undefined;
  /** Bytes that may wait in writes. @defaultValue 16777216, minimum 1 */
  readonly queueBytesMax?: number | undefined;
  /** Milliseconds that the place of a named subscription is kept after it closed. @defaultValue 10000, minimum 0 */
  readonly resumeMs?: number | undefined;
  /** Connections to the service for requests other than streams. @defaultValue 50, minimum 1 */
  readonly connectionsMax?: number | undefined;
  /** Requests that may be open at a time; one more waits. @defaultValue 25, minimum 1 */
  readonly concurrentMax?: number | undefined;
  /** Milliseconds for a connection to come about. @defaultValue 5000, minimum 1 */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds for a login, a set or a probe in all. @defaultValue 10000, minimum 1 */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds that a `watch` or `stream` may be silent. @defaultValue getTimeoutMs + 3000, minimum 1 */
  readonly streamSilenceMs?: number | undefined;
  /** Milliseconds that a `watch` or `stream` may last in all. @defaultValue getTimeoutMs + 7000, minimum 1 */
  readonly streamTimeoutMs?: number | undefined;
  /** Milliseconds that an idle connection is kept. @defaultValue 55000, minimum 1 */
  readonly keepAliveMs?: number | undefined;
  /** File that keeps the month's count of requests over restarts of the process. @defaultValue none */
  readonly counterFile?: string | undefined;
  /** Told once when that file cannot be read or written; counting goes on in memory. @defaultValue none */
  readonly onCounterError?: ((error: Error) => void) | undefined;
  /** In place of the environment of the process. */
  readonly environment?: Environment | undefined;
  /** Time, chance and the network as parameters, for simulations. */
  readonly ports?:
    | {
        readonly clock?: Clock | undefined;
        readonly random?: Random | undefined;
        readonly transport?: Transport | undefined;
        readonly counterStore?: CounterStore | undefined;
      }
    | undefined;
}

export interface ClientSettings {
  readonly accountId: string;
  readonly apiKey: Redacted;
  readonly urls: { readonly login: string; readonly set: string; readonly get: string };
  readonly limits: Limits;
  readonly attemptsMax: number;
  readonly retryMsMax: number;
  readonly queueCountMax: number;
  readonly queueBytesMax: number;
  readonly resumeMs: number;
  readonly connectionsMax: number;
  readonly concurrentMax: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly streamSilenceMs: number;
  readonly streamTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport | undefined;
  readonly counterStore: CounterStore | undefined;
}

const text = z.string().optional();
const count = z.int().min(1);
const limit = count.optional();

const limitsSchema = z.strictObject({
  requestBytesMax: limit,
  lineBytesMax: limit,
  lineItemsMax: limit,
  requestItemsMax: limit,
  ringItemsMax: limit,
  portalsMax: limit,
  itemAgeMsMax: limit,
  getTimeoutMs: limit,
  sessionIdleMsMax: limit,
  loginIntervalMsMin: z.int().min(0).optional(),
  requestsPerSecondMax: limit,
  requestsPerMonthMax: limit,
} satisfies Record<keyof Limits, z.ZodType>);

const schema = z.strictObject({
  accountId: text,
  apiKey: z.union([z.string(), z.instanceof(Redacted)]).optional(),
  baseUrl: text,
  loginUrl: text,
  setUrl: text,
  getUrl: text,
  envFile: text,
  connectionEnvFile: text,
  limits: z.union([z.enum(["hosted", "local"]), limitsSchema]).optional(),
  allowInsecure: z.boolean().default(false),
  attemptsMax: count.default(6),
  retryMsMax: count.default(60_000),
  queueCountMax: count.default(10_000),
  queueBytesMax: count.default(16_777_216),
  resumeMs: z.int().min(0).default(10_000),
  connectionsMax: count.default(50),
  concurrentMax: count.default(25),
  connectTimeoutMs: count.default(5_000),
  requestTimeoutMs: count.default(10_000),
  streamSilenceMs: limit,
  streamTimeoutMs: limit,
  keepAliveMs: count.default(55_000),
  counterFile: text,
  onCounterError: z
    .custom<(error: Error) => void>((value) => typeof value === "function")
    .optional(),
  environment: z.record(z.string(), z.string().optional()).optional(),
  ports: z
    .strictObject({
      clock: z.custom<Clock>().optional(),
      random: z.custom<Random>().optional(),
      transport: z.custom<Transport>().optional(),
      counterStore: z.custom<CounterStore>().optional(),
    })
    .optional(),
} satisfies Record<keyof XrtcClientOptions, z.ZodType>);

/** Milliseconds beyond the get timeout that an open get may be silent, and that it may last in all. */
const SILENCE_MARGIN_MS = 3_000;
const TURN_MARGIN_MS = 7_000;

/** @throws XrtcError `XRTC_OPTIONS`, `XRTC_CREDENTIALS_MISSING` */
export function parseOptions(options: XrtcClientOptions): ClientSettings {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw badOption(reasonOf(parsed.error));
  const given = parsed.data;
  const { attemptsMax, retryMsMax, queueCountMax, queueBytesMax, resumeMs } = given;
  const { connectionsMax, concurrentMax, connectTimeoutMs, requestTimeoutMs, keepAliveMs } = given;
  const { ports = {} } = given;
  const environment = (): Environment => given.environment ?? process.env;
  const credentialsFile = cached(() => readEnvFile(given.envFile));
  const connectionFile =
    given.connectionEnvFile === undefined
      ? credentialsFile
      : cached(() => readEnvFile(given.connectionEnvFile));
  const urls = resolveUrls(given, [environment, connectionFile]);
  for (const [name, url] of Object.entries(urls)) checkUrl(name, url, given.allowInsecure);
  const limits = resolveLimits(given.limits, urls.set);
  return {
    ...resolveCredentials(given, [environment, credentialsFile]),
    urls,
    limits,
    attemptsMax,
    retryMsMax,
    queueCountMax,
    queueBytesMax,
    resumeMs,
    connectionsMax,
    concurrentMax,
    connectTimeoutMs,
    requestTimeoutMs,
    streamSilenceMs: given.streamSilenceMs ?? limits.getTimeoutMs + SILENCE_MARGIN_MS,
    streamTimeoutMs: given.streamTimeoutMs ?? limits.getTimeoutMs + TURN_MARGIN_MS,
    keepAliveMs,
    clock: ports.clock ?? systemClock,
    random: ports.random ?? systemRandom,
    transport: ports.transport,
    counterStore: ports.counterStore ?? counterFile(given, limits),
  };
}

function counterFile(
  { counterFile: path, onCounterError }: Given,
  { requestsPerMonthMax }: Limits,
): CounterStore | undefined {
  // Where a month has no end there is nothing to keep.
  if (path === undefined || requestsPerMonthMax === Number.MAX_SAFE_INTEGER) return undefined;
  let told = false;
  return new CounterFile(path, (error) => {
    if (!told) onCounterError?.(error);
    told = true;
  });
}

type Sources = readonly (() => Environment)[];
type Given = z.infer<typeof schema>;

function resolveCredentials(
  given: Given,
  sources: Sources,
): Pick<ClientSettings, "accountId" | "apiKey"> {
  const accountId = firstGiven("ACCOUNT_ID", given.accountId, sources);
  const argument = given.apiKey instanceof Redacted ? given.apiKey.reveal() : given.apiKey;
  const apiKey = firstGiven("API_KEY", argument, sources);
  if (accountId === undefined || apiKey === undefined) {
    const missing = accountId === undefined ? "account id" : "API key";
    const places = `not as an option, not in the environment, not in ${given.envFile ?? ENV_FILE}`;
    throw new XrtcError("XRTC_CREDENTIALS_MISSING", `There is no ${missing}: ${places}.`);
  }
  if (!isAccountId(accountId)) throw badOption("accountId: expected AC and digits");
  // Not even the length of what was given is told.
  if (!isApiKey(apiKey)) throw badOption("apiKey: expected 32 ASCII letters and digits");
  return { accountId, apiKey: new Redacted(apiKey) };
}

function resolveUrls(given: Given, sources: Sources): ClientSettings["urls"] {
  const base = (given.baseUrl || HOSTED_BASE_URL).replace(/\/+$/, "");
  // A base URL is an argument: what it gives goes before the environment.
  const from = given.baseUrl ? [] : sources;
  return {
    login: firstGiven("LOGIN_URL", given.loginUrl, from) ?? base + PATHS.login,
    set: firstGiven("SET_URL", given.setUrl, from) ?? base + PATHS.set,
    get: firstGiven("GET_URL", given.getUrl, from) ?? base + PATHS.get,
  };
}

function resolveLimits(given: Given["limits"], setUrl: string): Limits {
  if (typeof given === "string") return LIMITS[given];
  const isHosted = /(^|\.)xrtc\.org$/.test(new URL(setUrl).hostname);
  const preset = LIMITS[isHosted ? "hosted" : "local"];
  const changed = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...preset, ...(Object.fromEntries(changed) as Partial<Limits>) };
}

function cached<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
