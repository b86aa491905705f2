/** The settings of xrtc-config, with the defaults that the editor shows. */

import * as z from "zod";
import { readSettings } from "../saved-settings.js";
import { boolean, name, text, version } from "./fields.js";

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
  /** `auto`: the server node's own for `local`, else what fits the address. */
  limits: z.enum(["auto", "hosted", "local"]).default("auto"),
  /** Plain http: to something else than this machine. */
  allowInsecure: boolean,
});
export type ConfigSettings = z.output<typeof configSchema>;

export const readConfigSettings = (definition: object): ConfigSettings =>
  readSettings(definition, { type: "xrtc-config", schema: configSchema });
