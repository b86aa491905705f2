/** The settings of xrtc-config, with the defaults that the editor shows. */

import * as z from "zod";
import { CONFIG_RANGES, type ConfigNumber } from "../../contract/ranges.js";
import { readSettings } from "../saved-settings.js";
import { boolean, name, numeric, text, version } from "./fields.js";

/** A number within its range; null for a blank field. */
const number = (field: ConfigNumber) => {
  const { min, max } = CONFIG_RANGES[field];
  const error = `expected a whole number from ${min} to ${max}, or nothing`;
  return z.preprocess(
    numeric,
    z.int({ error }).min(min, { error }).max(max, { error }).nullable().default(null),
  );
};

const configSchema = z.strictObject({
  version,
  name,
  /** `hosted`: api.xrtc.org; `local`: an xrtc-server node; `custom`: a base URL; `urls`: each call's own URL. */
  service: z.enum(["hosted", "local", "custom", "urls"]).default("hosted"),
  /** Id of an xrtc-server node, for `local`. */
  server: text,
  baseUrl: text,
  loginUrl: text,
  setUrl: text,
  getUrl: text,
  /** Where account and key are: `fields` falls back to the environment where one is blank. */
  credentialsFrom: z.enum(["fields", "environment", "file"]).default("fields"),
  /** Path of a dotenv file with `ACCOUNT_ID` and `API_KEY`, for `file`. */
  dotenvFile: text,
  /** Id of a tls-config node; blank for the certificates that Node.js trusts. */
  tls: text,
  /** Id of an http proxy node; blank for the proxy that the environment names, if it names one. */
  proxy: text,
  /** `auto`: the server node's own for `local`, else what fits the address. */
  limits: z.enum(["auto", "hosted", "local"]).default("auto"),
  requestBytesMax: number("requestBytesMax"),
  lineBytesMax: number("lineBytesMax"),
  requestItemsMax: number("requestItemsMax"),
  requestsPerSecondMax: number("requestsPerSecondMax"),
  loginIntervalMsMin: number("loginIntervalMsMin"),
  getTimeoutMs: number("getTimeoutMs"),
  sessionIdleMsMax: number("sessionIdleMsMax"),
  lingerMs: number("lingerMs"),
  batchItemsMax: number("batchItemsMax"),
  attemptsMax: number("attemptsMax"),
  retrySecondsMax: number("retrySecondsMax"),
  monthRequestsMax: number("monthRequestsMax"),
  /** Plain http: to something else than this machine. */
  allowInsecure: boolean,
} satisfies Record<ConfigNumber, z.ZodType> & Record<string, z.ZodType>);
export type ConfigSettings = z.output<typeof configSchema>;

export const readConfigSettings = (definition: object): ConfigSettings =>
  readSettings(definition, { type: "xrtc-config", schema: configSchema });
