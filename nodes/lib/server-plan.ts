/** From the settings of an xrtc-server to the server that they mean; pure. */

import { createHash } from "node:crypto";
import { Redacted, XrtcError } from "../../src/index.js";
import type { XrtcServerOptions, XrtcServerTls } from "../../src/server/index.js";
import { isLoopbackHost } from "../contract/server.js";
import type { Credentials, SavedCredentials } from "./credentials.js";
import { unsetVariable } from "./saved-settings.js";
import { DEFAULT_REDIS_URL, type ServerSettings } from "./settings/server.js";

/** What Node-RED keeps encrypted of an xrtc-server. */
export interface SavedServerCredentials extends SavedCredentials {
  redisPassword?: string;
}

/** How clients outside of this process get to a server. */
export type ServerPlace =
  | { readonly kind: "port"; readonly host: string; readonly port: number }
  /** `path`: below the root of Node-RED's HTTP nodes; `prefix`: with that root. */
  | { readonly kind: "path"; readonly path: string; readonly prefix: string };

/** A server that is wanted. */
export interface ServerPlan {
  readonly place: ServerPlace;
  readonly preset: ServerSettings["preset"];
  readonly hostNames: readonly string[];
  readonly allowInsecure: boolean;
  readonly tls?: XrtcServerTls;
  /** Undefined: in the memory of Node-RED. */
  readonly redis?: {
    /** With the password. */
    readonly url: Redacted;
    readonly durability: "redis" | "redis-aof";
  };
}

export interface PlanSources {
  readonly saved: SavedServerCredentials | undefined;
  /** What the chosen tls-config node says. @throws XrtcError XRTC_OPTIONS */
  readonly tlsOf: (id: string) => XrtcServerTls;
  /** Where the paths of flows begin, without a slash at its end. */
  readonly httpRoot: string;
  /** Name of this machine. */
  readonly hostName: string;
}

/** @throws XrtcError XRTC_OPTIONS, XRTC_CREDENTIALS_MISSING that say what is wrong */
export function planOf(settings: ServerSettings, sources: PlanSources): ServerPlan {
  const { listen, host, port, path, preset, engine, allowInsecure } = settings;
  const isPath = listen === "path";
  const isPrivate = !isPath && isLoopbackHost(host);
  // The names by which other machines of a house know this one.
  const own = isPrivate ? [] : [sources.hostName, `${sources.hostName}.local`];
  const common = { preset, hostNames: [...own, ...settings.hostNames].filter(Boolean) };
  const redis = engine === "memory" ? {} : { redis: redisOf(settings, engine, sources.saved) };
  // Who may reach the web server of Node-RED, and how, is up to Node-RED.
  if (isPath) {
    const place: ServerPlace = { kind: "path", path, prefix: sources.httpRoot + path };
    return { ...common, ...redis, place, allowInsecure: true };
  }
  const tls = settings.tls === "" ? {} : { tls: sources.tlsOf(settings.tls) };
  return { ...common, ...redis, ...tls, place: { kind: "port", host, port }, allowInsecure };
}

function redisOf(
  { redisUrl }: ServerSettings,
  durability: "redis" | "redis-aof",
  saved: SavedServerCredentials | undefined,
): Required<ServerPlan>["redis"] {
  const password = saved?.redisPassword ?? "";
  if (unsetVariable(password) !== undefined) {
    throw missing("Redis password: the environment variable that it names is not set");
  }
  if (!saved?.accountId?.trim() && !saved?.apiKey?.trim()) {
    // One that is made up at each start would never find its items again.
    throw missing("account and API key: what is kept in Redis needs some that stay");
  }
  const url = new URL(redisUrl || DEFAULT_REDIS_URL);
  if (password !== "") url.password = encodeURIComponent(password);
  return { url: new Redacted(url.href), durability };
}

const missing = (reason: string): XrtcError =>
  new XrtcError("XRTC_CREDENTIALS_MISSING", `xrtc-server: ${reason}`);

/** Whether two servers could not be there at the same time. */
export const samePlace = (one: ServerPlace, other: ServerPlace): boolean =>
  one.kind === "path"
    ? other.kind === "path" && one.path === other.path
    : other.kind === "port" && one.port === other.port && one.port !== 0;

/** The options of the server itself. */
export function optionsOf(
  { place, preset, hostNames, allowInsecure, tls, redis }: ServerPlan,
  { accountId, apiKey }: Credentials,
): XrtcServerOptions {
  return {
    ...(place.kind === "port"
      ? { host: place.host, port: place.port }
      : // Any address of the machine will do; names have to be among those given.
        { host: "0.0.0.0", pathPrefix: place.prefix }),
    preset,
    hostNames,
    allowInsecure,
    ...(tls === undefined ? {} : { tls }),
    ...(redis === undefined ? {} : { engine: redis.url.reveal(), durability: redis.durability }),
    accounts: [{ accountId, apiKeys: [apiKey] }],
  };
}

/** A digest of all that a server is made from, so that no secret lies about in a comparison. */
export function fingerprintOf(plan: ServerPlan, { accountId, apiKey }: Credentials): string {
  const { tls, redis, ...open } = plan;
  const secrets = [apiKey, tls?.key, tls?.passphrase, redis?.url].map((secret) =>
    secret instanceof Redacted ? secret.reveal() : secret,
  );
  const text = JSON.stringify([open, tls?.cert, redis?.durability, accountId, secrets]);
  return createHash("sha256").update(text).digest("base64");
}
