import { LOG_LEVELS, type LogLevel } from "./log-lines.js";
import * as z from "zod";
import type { LimitsPreset } from "../../protocol/limits.js";
import { optionsSchema, type XrtcServerOptions } from "../options.js";

/** What the command can be told, by whichever way. Paths are as they were given, or absolute. */
export interface Config extends Pick<
  XrtcServerOptions,
  | "host"
  | "port"
  | "allowInsecure"
  | "hostNames"
  | "pathPrefix"
  | "trustedProxies"
  | "limits"
  | "bounds"
  | "extensions"
  | "secondLogin"
  | "engine"
  | "enginePrefix"
  | "durability"
> {
  readonly preset?: LimitsPreset;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPassphraseFile?: string;
  readonly engineUrlFile?: string;
  /** File of the accounts. */
  readonly accounts?: string;
  /** Address and port of metrics and health. */
  readonly metrics?: string;
  readonly logLevel?: LogLevel;
}

/** How an option is written as an argument or a variable. */
export type OptionKind =
  | "text"
  /** A path: in the config file it begins at that file's folder. */
  | "path"
  | "number"
  | "flag"
  /** Several texts: repeated arguments, a variable with commas. */
  | "list"
  /** Several `name=number`. */
  | "numbers"
  /** Several `name=on` or `name=off`. */
  | "switches";

export interface OptionSpec {
  /** The name of the argument, without its dashes. */
  readonly argument: string;
  readonly kind: OptionKind;
}

/** Every option by its member in the config file. */
export const OPTION_SPECS: Readonly<Record<keyof Config, OptionSpec>> = {
  port: { argument: "port", kind: "number" },
  host: { argument: "host", kind: "text" },
  tlsCert: { argument: "tls-cert", kind: "path" },
  tlsKey: { argument: "tls-key", kind: "path" },
  tlsPassphraseFile: { argument: "tls-passphrase-file", kind: "path" },
  allowInsecure: { argument: "allow-insecure", kind: "flag" },
  hostNames: { argument: "host-name", kind: "list" },
  pathPrefix: { argument: "path-prefix", kind: "text" },
  trustedProxies: { argument: "trusted-proxy", kind: "list" },
  metrics: { argument: "metrics", kind: "text" },
  accounts: { argument: "accounts", kind: "path" },
  engine: { argument: "engine", kind: "text" },
  engineUrlFile: { argument: "engine-url-file", kind: "path" },
  enginePrefix: { argument: "engine-prefix", kind: "text" },
  durability: { argument: "durability", kind: "text" },
  preset: { argument: "preset", kind: "text" },
  limits: { argument: "limit", kind: "numbers" },
  bounds: { argument: "bound", kind: "numbers" },
  extensions: { argument: "extension", kind: "switches" },
  secondLogin: { argument: "second-login", kind: "text" },
  logLevel: { argument: "log-level", kind: "text" },
};

export const MEMBERS = Object.keys(OPTION_SPECS) as readonly (keyof Config)[];

/** The variable of the environment that stands for an option, such as `XRTC_SERVER_TLS_CERT`. */
export const variableOf = (member: string): string =>
  `${VARIABLE_PREFIX}${member.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`;

export const VARIABLE_PREFIX = "XRTC_SERVER_";

const path = z.string().min(1).optional();

/** One strict schema for every way: a member that it does not know is a mistake. */
export const configSchema = optionsSchema
  .pick({
    host: true,
    port: true,
    allowInsecure: true,
    hostNames: true,
    pathPrefix: true,
    trustedProxies: true,
    preset: true,
    limits: true,
    bounds: true,
    extensions: true,
    secondLogin: true,
    engine: true,
    enginePrefix: true,
    durability: true,
  })
  .extend({
    tlsCert: path,
    tlsKey: path,
    tlsPassphraseFile: path,
    engineUrlFile: path,
    accounts: path,
    metrics: z.string().min(1).optional(),
    logLevel: z.enum(LOG_LEVELS).optional(),
  })
  .strict();
