/** What follows from a client's options: parsed once, and resolved to what the layers below need. */

import { XrtcError } from "../errors.js";
import { systemClock, type Clock } from "../primitives/clock.js";
import { systemRandom, type Random } from "../primitives/random.js";
import { Redacted } from "../primitives/redacted.js";
import { reasonOf } from "../protocol/codec.js";
import { isAccountId, isApiKey } from "../protocol/item.js";
import { LIMITS, type Limits } from "../protocol/limits.js";
import { HOSTED_BASE_URL, PATHS } from "../protocol/paths.js";
import { CounterFile } from "../session/counter-file.js";
import { ENV_FILE, firstGiven, readEnvFile, type Environment } from "../session/environment.js";
import type { CounterStore } from "../session/month-budget.js";
import type { RouteOf, TlsSettings } from "../transport/network.js";
import type { Transport } from "../transport/transport.js";
import { routeFor, tlsSettings } from "./network.js";
import { optionsSchema, type GivenOptions, type XrtcClientOptions } from "./options.js";
import { badOption, checkUrl } from "./urls.js";

export interface ClientSettings {
  readonly accountId: string;
  readonly apiKey: Redacted;
  readonly urls: { readonly login: string; readonly set: string; readonly get: string };
  readonly limits: Limits;
  readonly tls: TlsSettings | undefined;
  readonly routeOf: RouteOf | undefined;
  readonly lingerMs: number;
  readonly batchItemsMax: number;
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

/** Milliseconds beyond the get timeout that an open get may be silent, and that it may last in all. */
const SILENCE_MARGIN_MS = 3_000;
const TURN_MARGIN_MS = 7_000;

/** @throws XrtcError `XRTC_OPTIONS`, `XRTC_CREDENTIALS_MISSING` */
export function parseOptions(options: XrtcClientOptions): ClientSettings {
  const parsed = optionsSchema.safeParse(options);
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
  checkUrls(urls, given);
  const limits = resolveLimits(given.limits, urls.set);
  return {
    ...resolveCredentials(given, [environment, credentialsFile]),
    urls,
    limits,
    tls: tlsSettings(given.tls),
    routeOf: routeFor(given.proxy, environment()),
    lingerMs: given.lingerMs,
    batchItemsMax: Math.min(given.batchItemsMax ?? Infinity, limits.requestItemsMax),
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
  { counterFile: path, onCounterError }: GivenOptions,
  { requestsPerMonthMax }: Limits,
): CounterStore | undefined {
  // Where a month has no end there is nothing to keep.
  if (path === undefined || requestsPerMonthMax === Number.MAX_SAFE_INTEGER) return undefined;
  let told = false;
  return new CounterFile(path, (error) => {
    if (told) return;
    told = true;
    if (onCounterError !== undefined) onCounterError(error);
    else process.emitWarning(counterWarning(path, error), "XrtcWarning");
  });
}

/** Names the file, and of the error no more than its code: the words of a parser repeat what stands in the file. */
function counterWarning(path: string, error: Error): string {
  const why = (error as NodeJS.ErrnoException).code ?? "it is damaged";
  return `the month's requests are counted in memory: ${JSON.stringify(path)} cannot be used (${why})`;
}

type Sources = readonly (() => Environment)[];

function resolveCredentials(
  given: GivenOptions,
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

function resolveUrls(given: GivenOptions, sources: Sources): ClientSettings["urls"] {
  const base = (given.baseUrl || HOSTED_BASE_URL).replace(/\/+$/, "");
  // A base URL is an argument: what it gives goes before the environment.
  const from = given.baseUrl ? [] : sources;
  return {
    login: firstGiven("LOGIN_URL", given.loginUrl, from) ?? base + PATHS.login,
    set: firstGiven("SET_URL", given.setUrl, from) ?? base + PATHS.set,
    get: firstGiven("GET_URL", given.getUrl, from) ?? base + PATHS.get,
  };
}

/** An error names the address that the user gave: mostly that is the one below which the three others are. */
function checkUrls(urls: ClientSettings["urls"], given: GivenOptions): void {
  const base = given.baseUrl || commonBase(given);
  if (base !== undefined) checkUrl("base", base, given.allowInsecure);
  for (const [name, url] of Object.entries(urls)) checkUrl(name, url, given.allowInsecure);
}

function commonBase({ loginUrl = "", setUrl, getUrl }: GivenOptions): string | undefined {
  const base = loginUrl.slice(0, -PATHS.login.length);
  const isCommon =
    loginUrl === base + PATHS.login && setUrl === base + PATHS.set && getUrl === base + PATHS.get;
  return isCommon ? base : undefined;
}

function resolveLimits(given: GivenOptions["limits"], setUrl: string): Limits {
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
