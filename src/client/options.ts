/** What a client may be told: its options, as people write them and as they are checked. */

import * as z from "zod";
import type { Clock } from "../primitives/clock.js";
import type { Random } from "../primitives/random.js";
import { Redacted } from "../primitives/redacted.js";
import { SET_LIFE_MS, type Limits, type LimitsPreset } from "../protocol/limits.js";
import type { Environment } from "../session/environment.js";
import type { CounterStore } from "../session/month-budget.js";
import type { ProxyOptions } from "../transport/proxy-route.js";
import type { Transport } from "../transport/transport.js";
import type { TlsOptions } from "./network.js";

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
  /** Certificates of one's own, by the names that Node.js has for them. @defaultValue what Node.js trusts */
  readonly tls?: TlsOptions | undefined;
  /** A proxy, or `false` for none. Else `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` from the environment, but never to this machine. */
  readonly proxy?: string | ProxyOptions | false | undefined;
  /** Milliseconds that a set may wait for others to share its request. @defaultValue 0, minimum 0 */
  readonly lingerMs?: number | undefined;
  /** Items that share a request at most. @defaultValue requestItemsMax, minimum 1 */
  readonly batchItemsMax?: number | undefined;
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
  /** Told once when that file cannot be read or written; counting goes on in memory. @defaultValue a warning of the process */
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

const secret = z.union([z.string(), z.instanceof(Redacted)]);
const pem = z.union([z.string(), z.instanceof(Buffer)]);

const tlsSchema = z.strictObject({
  ca: z.union([pem, z.array(pem)]).optional(),
  cert: pem.optional(),
  key: z.union([pem, z.instanceof(Redacted)]).optional(),
  passphrase: secret.optional(),
  servername: text,
  rejectUnauthorized: z.boolean().optional(),
} satisfies Record<keyof TlsOptions, z.ZodType>);

const proxySchema = z.union([
  z.literal(false),
  z.string(),
  z.strictObject({
    url: z.string(),
    username: text,
    password: secret.optional(),
    noProxy: z.array(z.string()).optional(),
  } satisfies Record<keyof ProxyOptions, z.ZodType>),
]);

/** Strict: a misspelt option is an error. */
export const optionsSchema = z.strictObject({
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
  tls: tlsSchema.optional(),
  proxy: proxySchema.optional(),
  lingerMs: z.int().min(0).default(0),
  batchItemsMax: limit,
  attemptsMax: count.default(6),
  retryMsMax: count.default(SET_LIFE_MS),
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

/** Options whose types are right. */
export type GivenOptions = z.infer<typeof optionsSchema>;
