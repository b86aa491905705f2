import { randomBytes } from "node:crypto";
import * as z from "zod";
import { XrtcError } from "../errors.js";
import { type Clock, systemClock } from "../primitives/clock.js";
import { type Random, systemRandom } from "../primitives/random.js";
import { Redacted } from "../primitives/redacted.js";
import { isAccountId, isApiKey } from "../protocol/item.js";
import { LIMITS, type Limits, type LimitsPreset } from "../protocol/limits.js";
import { KEYS_PER_ACCOUNT_MAX } from "./backend/key-hashes.js";
import { isLoopback } from "./address.js";
import { type Bounds, BOUNDS } from "./bounds.js";
import { type EngineSettings, engineOf } from "./engine-settings.js";
import type { Log } from "./log.js";
import type { ServerObserver } from "./observer.js";
import { checkTls, type XrtcServerTls } from "./tls.js";

/** An account of the local server, and the keys that open it: at least one, at most 10. */
export interface XrtcServerAccount {
  /** `AC` and digits. */
  readonly accountId: string;
  /** Each 32 ASCII letters and digits. Only their hashes are kept. @defaultValue [] */
  readonly apiKeys?: readonly (string | Redacted)[];
  /** SHA-256 of further keys, each 64 hexadecimal digits, for who keeps no keys. @defaultValue [] */
  readonly apiKeyHashes?: readonly string[];
}

/** What this server offers beyond the hosted service. */
export type Extension = "seq" | "idempotency" | "order";
export const EXTENSIONS: readonly Extension[] = ["seq", "idempotency", "order"];

/** Answers that the documentation of the hosted service leaves open. A client has to be right under each of them. */
export interface Dialect {
  /** Where a new login starts to read: at the oldest item, or where the key's last session was. @defaultValue "replay" */
  readonly newLogin: "replay" | "continue";
  /** What a reference time means: items from it on, items after it, or nothing. @defaultValue "inclusive" */
  readonly reference: "inclusive" | "exclusive" | "ignored";
  /** What becomes of FIFO items that a line has no room for: they are in the next one, or lost. @defaultValue "wait" */
  readonly fifoOverflow: "wait" | "skip";
}
const DIALECT: Dialect = { newLogin: "replay", reference: "inclusive", fifoOverflow: "wait" };

/** Options of the local server. A misspelt one is an error. */
export interface XrtcServerOptions {
  /** Address to listen on. Anything but a loopback address needs `tls`, or `allowInsecure`. @defaultValue "127.0.0.1" */
  readonly host?: string;
  /** TCP port; 0 for any free one. @defaultValue 8480 */
  readonly port?: number;
  /** Allows plain HTTP beyond this machine. @defaultValue false */
  readonly allowInsecure?: boolean;
  /** Serves HTTPS, and nothing in plain HTTP. @defaultValue none */
  readonly tls?: XrtcServerTls;
  /** Further names under which clients reach this server; others are refused (DNS rebinding). @defaultValue [] */
  readonly hostNames?: readonly string[];
  /** What every path begins with before `/v1`, such as `/xrtc`; the cookies' path, too. @defaultValue "" */
  readonly pathPrefix?: string;
  /** Addresses of proxies whose `X-Forwarded-For` is believed. @defaultValue [] */
  readonly trustedProxies?: readonly string[];
  /** Who may log in; others may register. */
  readonly accounts: readonly XrtcServerAccount[];
  /** The set of limits to start from. @defaultValue "local" */
  readonly preset?: LimitsPreset;
  /** Single limits, over those of the preset. */
  readonly limits?: Partial<Limits>;
  /** @defaultValue all on for the preset `local`, all off for `hosted` */
  readonly extensions?: Partial<Record<Extension, boolean>>;
  /** What a second login of a key does to the first one's session. @defaultValue "keep" */
  readonly secondLogin?: "keep" | "end";
  /** What the hosted service may do where its documentation leaves it open: for testing clients against it. */
  readonly dialect?: Partial<Dialect>;
  /**
   * Where items, sessions and accounts are kept: in this process, or in a Redis that several servers may share, given
   * by its `redis://` or `rediss://` URL. A password in it is a secret. @defaultValue "memory"
   */
  readonly engine?: string;
  /**
   * What a Redis engine promises of an acknowledged item: that Redis holds it, or that it is on Redis' disk, which
   * needs `appendonly yes` and `appendfsync always` there. @defaultValue "redis"
   */
  readonly durability?: "redis" | "redis-aof";
  /** What the names of all keys in Redis begin with: 1 to 64 letters, digits and `._:-`. @defaultValue "xrtc" */
  readonly enginePrefix?: string;
  /** What one client or all of them may take up of this process. */
  readonly bounds?: Partial<Bounds>;
  /** @defaultValue the system's */
  readonly clock?: Clock;
  /** @defaultValue the system's */
  readonly random?: Random;
  /** Source of session ids and codes. @defaultValue `crypto.randomBytes` */
  readonly randomBytes?: (size: number) => Buffer;
  /** Takes what the server has to tell; a library does not log by itself. @defaultValue silent */
  readonly log?: Log;
  /** Hears what the server does, to measure it. @defaultValue none */
  readonly observer?: ServerObserver;
}

/** The options with every default filled in. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly hostNames: readonly string[];
  readonly pathPrefix: string;
  readonly trustedProxies: readonly string[];
  readonly tls: XrtcServerTls | undefined;
  readonly accounts: readonly XrtcServerAccount[];
  readonly preset: LimitsPreset;
  readonly limits: Limits;
  readonly extensions: ReadonlySet<Extension>;
  readonly secondLogin: "keep" | "end";
  readonly dialect: Dialect;
  readonly engine: EngineSettings;
  readonly bounds: Bounds;
  readonly clock: Clock;
  readonly random: Random;
  readonly randomBytes: (size: number) => Buffer;
  readonly log: Log;
  readonly observer: ServerObserver | undefined;
}

/** Accounts that stand in documentation and examples: anybody knows them. */
const SAMPLE_ACCOUNTS: ReadonlySet<string> = new Set([
  "AC0987654321012345",
  "AC1234567890123456",
  "AC0123456789012345",
]);

const partialOf = (names: readonly string[], valueOf: (name: string) => z.ZodType): z.ZodType =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, valueOf(name).optional()])));

const count = z.int().min(1);
const milliseconds = z.int().min(0);
const limitOf = (name: string): z.ZodType => (name.includes("Ms") ? milliseconds : count);

const apiKey = z.custom<string | Redacted>(
  (value) => {
    const text: unknown = value instanceof Redacted ? value.reveal() : value;
    return typeof text === "string" && isApiKey(text);
  },
  { error: "an API key is 32 ASCII letters and digits" },
);

const apiKeyHash = z.string().regex(/^[0-9a-f]{64}$/i, {
  error: "the SHA-256 of an API key is 64 hexadecimal digits",
});

const account = z
  .strictObject({
    accountId: z.string().refine(isAccountId, { error: "an account id is AC and up to 30 digits" }),
    apiKeys: z.array(apiKey).optional(),
    apiKeyHashes: z.array(apiKeyHash).optional(),
  })
  .refine(
    ({ apiKeys = [], apiKeyHashes = [] }) => {
      const keys = apiKeys.length + apiKeyHashes.length;
      return keys >= 1 && keys <= KEYS_PER_ACCOUNT_MAX;
    },
    { error: `an account has 1 to ${KEYS_PER_ACCOUNT_MAX} keys` },
  );

const secret = z.union([z.string(), z.instanceof(Redacted)], {
  error: "expected text",
});

const tls = z.strictObject({ cert: z.string(), key: secret, passphrase: secret.optional() });

const port = (name: string, methods: readonly string[]): z.ZodType =>
  z.custom(
    (value) =>
      typeof value === "object" &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function"),
    { error: `expected a ${name}: an object with ${methods.join(", ")}` },
  );

const aFunction = z.custom((value) => typeof value === "function", {
  error: "expected a function",
});

/** What each option may be. */
export const optionsSchema = z.strictObject({
  host: z.string().min(1).optional(),
  port: z.int().min(0).max(65_535).optional(),
  allowInsecure: z.boolean().optional(),
  tls: tls.optional(),
  hostNames: z.array(z.string().min(1)).optional(),
  pathPrefix: z
    .string()
    .max(256)
    .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/, {
      error:
        "a path such as /xrtc: letters, digits and ._~- between slashes, and no slash at its end",
    })
    .optional(),
  trustedProxies: z.array(z.union([z.ipv4(), z.ipv6()])).optional(),
  accounts: z.array(account),
  preset: z.enum(["hosted", "local"]).optional(),
  limits: partialOf(Object.keys(LIMITS.local), limitOf).optional(),
  extensions: partialOf(EXTENSIONS, () => z.boolean()).optional(),
  secondLogin: z.enum(["keep", "end"]).optional(),
  dialect: z
    .strictObject({
      newLogin: z.enum(["replay", "continue"]).optional(),
      reference: z.enum(["inclusive", "exclusive", "ignored"]).optional(),
      fifoOverflow: z.enum(["wait", "skip"]).optional(),
    })
    .optional(),
  engine: z.string().optional(),
  durability: z.enum(["redis", "redis-aof"]).optional(),
  enginePrefix: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, { error: "1 to 64 letters, digits, dots, colons, - and _" })
    .optional(),
  bounds: partialOf(Object.keys(BOUNDS), () => count).optional(),
  clock: port("clock", ["now", "wallNow", "schedule"]).optional(),
  random: port("random source", ["next", "id"]).optional(),
  randomBytes: aFunction.optional(),
  log: aFunction.optional(),
  observer: port("observer", ["answered", "handedOver"]).optional(),
});

/**
 * Options as the server works with them.
 *
 * @throws XrtcError XRTC_OPTIONS when one is misspelt or out of its range, XRTC_SERVER_INSECURE when the server would
 *   listen beyond this machine without leave to
 */
export function resolveOptions(options: XrtcServerOptions): ServerSettings {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw new XrtcError("XRTC_OPTIONS", describe(parsed.error));
  const { host = "127.0.0.1", preset = "local", log } = options;
  refuseInsecure(host, options);
  if (options.tls !== undefined) checkTls(options.tls);
  return {
    host,
    port: options.port ?? 8480,
    hostNames: options.hostNames ?? [],
    pathPrefix: options.pathPrefix ?? "",
    trustedProxies: options.trustedProxies ?? [],
    tls: options.tls,
    accounts: options.accounts,
    preset,
    limits: withDefined(LIMITS[preset], options.limits),
    extensions: new Set(
      EXTENSIONS.filter((name) => options.extensions?.[name] ?? preset === "local"),
    ),
    secondLogin: options.secondLogin ?? "keep",
    dialect: withDefined(DIALECT, options.dialect),
    engine: engineOf(options),
    bounds: withDefined(BOUNDS, options.bounds),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    randomBytes: options.randomBytes ?? randomBytes,
    log: log === undefined ? () => {} : guarded(log),
    observer: options.observer,
  };
}

/**
 * Accounts that a server shall take while it runs.
 *
 * @throws XrtcError as {@link resolveOptions} does
 */
export function checkAccounts(accounts: readonly XrtcServerAccount[], host: string): void {
  const parsed = optionsSchema.pick({ accounts: true }).safeParse({ accounts });
  if (!parsed.success) throw new XrtcError("XRTC_OPTIONS", describe(parsed.error));
  if (!isLoopback(host)) refuseSample(accounts);
}

function refuseInsecure(host: string, options: XrtcServerOptions): void {
  if (isLoopback(host)) return;
  if (options.allowInsecure !== true && options.tls === undefined) {
    const message = `the server would listen on ${host} in plain HTTP, beyond this machine`;
    throw new XrtcError("XRTC_SERVER_INSECURE", message);
  }
  refuseSample(options.accounts);
}

function refuseSample(accounts: readonly XrtcServerAccount[]): void {
  const sample = accounts.find(({ accountId }) => SAMPLE_ACCOUNTS.has(accountId));
  if (sample === undefined) return;
  const message = `the sample account ${sample.accountId} must not be served beyond this machine`;
  throw new XrtcError("XRTC_SERVER_INSECURE", message);
}

/** An undefined member means the default, as if it were not there. */
function withDefined<T extends object>(defaults: T, given: Partial<T> | undefined): T {
  const defined = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(defined) as Partial<T>) };
}

function describe(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const path = issue.path.map(String).join(".");
      return path === "" ? issue.message : `${path}: ${issue.message}`;
    })
    .join("; ");
}

/** A log that throws must not take the server down with it. */
const guarded =
  (log: Log): Log =>
  (record) => {
    try {
      log(record);
    } catch (thrown) {
      process.emitWarning(`the server's log function threw: ${String(thrown)}`, "XrtcWarning");
    }
  };
