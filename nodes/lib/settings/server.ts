/** The settings of xrtc-server, with the defaults that the editor shows. */

import * as z from "zod";
import { XrtcError } from "../../../src/index.js";
import { isHost, isRedisUrl, SERVER_PATH, serverPath } from "../../contract/server.js";
import { readSettings } from "../saved-settings.js";
import { boolean, listed, name, numeric, text, version } from "./fields.js";

/** Names of one server: nobody has more. */
const HOST_NAMES_MAX = 100;

const serverSchema = z.strictObject({
  version,
  name,
  /** `port`: a port of its own; `path`: a path of Node-RED's own web server. */
  listen: z.enum(["port", "path"]).default("port"),
  /** Address to listen on, for `port`. */
  host: text.transform((host) => host.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1"),
  /** TCP port; 0 for any free one. */
  port: z.preprocess(numeric, z.int().min(0).max(65_535).default(8_480)),
  /** Id of a tls-config node; blank for plain HTTP. */
  tls: text,
  /** Plain HTTP beyond this machine. */
  allowInsecure: boolean,
  /** Below the root of Node-RED's HTTP nodes, for `path`. */
  path: text.transform((path) => serverPath(path) ?? path),
  /** Further names under which clients reach the server. */
  hostNames: text.transform(listed).pipe(z.array(z.string()).max(HOST_NAMES_MAX)),
  preset: z.enum(["local", "hosted"]).default("local"),
  /** Where items are kept. */
  engine: z.enum(["memory", "redis", "redis-aof"]).default("memory"),
  /** Without its password, for an engine in Redis. */
  redisUrl: text,
});
export type ServerSettings = z.output<typeof serverSchema>;

/** @throws XrtcError XRTC_OPTIONS that names the field */
export function readServerSettings(definition: object): ServerSettings {
  const settings = readSettings(definition, { type: "xrtc-server", schema: serverSchema });
  const { listen, host, path, hostNames, engine, redisUrl } = settings;
  // What has no effect is not looked at: its field is out of sight.
  if (listen === "port" && !isHost(host)) throw wrong("host", "this is no address");
  if (listen === "path" && serverPath(path) === undefined) {
    throw wrong("path", `expected one such as ${SERVER_PATH}`);
  }
  if (!hostNames.every(isHost)) throw wrong("hostNames", "expected names without a port");
  if (engine !== "memory" && redisUrl !== "" && !isRedisUrl(redisUrl)) {
    // The text itself stays out of the error: there may be a password in it.
    throw wrong("redisUrl", "expected redis:// or rediss://, with the password in its own field");
  }
  return settings;
}

const wrong = (field: string, reason: string): XrtcError =>
  new XrtcError("XRTC_OPTIONS", `xrtc-server: ${field}: ${reason}`);

/** The Redis of this machine. */
export const DEFAULT_REDIS_URL = "redis://127.0.0.1:6379";
