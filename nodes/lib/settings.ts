/** The settings of each node type: one strict schema each, with the defaults that the editor shows. */

import * as z from "zod";
import { isPortalId } from "../../src/index.js";
import { readSettings, SETTINGS_VERSION } from "./saved-settings.js";

const PORTAL_RULE = "a portal id is 1 to 32 ASCII letters and digits";
/** Portals that one xrtc-in may name: as many as the local server's preset has. */
const PORTALS_MAX = 1_000;

const version = z.literal(SETTINGS_VERSION);
const name = z.string().default("");
const text = z.string().trim().default("");

/** Fields of the editor arrive as text, and so do values from the environment. */
const numeric = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  return trimmed === "" ? undefined : Number(trimmed);
};
const boolean = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean().default(false),
);

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

const outSchema = z.strictObject({
  version,
  name,
  /** Id of an xrtc-config node. */
  config: text,
  /** Blank: taken from the message. */
  portal: text.refine((id) => id === "" || isPortalId(id), { error: PORTAL_RULE }),
});
export type OutSettings = z.output<typeof outSchema>;

const portalList = text
  .transform((list) => [...new Set(list.split(/[\s,;]+/).filter((id) => id !== ""))])
  .pipe(
    z
      .array(z.string().refine(isPortalId, { error: PORTAL_RULE }))
      .min(1, { error: "name at least one portal" })
      .max(PORTALS_MAX),
  );

const inSchema = z.strictObject({
  version,
  name,
  config: text,
  /** Portal ids with commas or spaces between them; each once. */
  portals: portalList,
  mode: z.enum(["stream", "watch"]).default("stream"),
  schedule: z.enum(["FIFO", "LIFO"]).default("FIFO"),
  /** Leave out items older than this many ms; -1 for no limit. */
  cutoff: z.preprocess(numeric, z.int().min(-1).default(-1)),
  /** `new`: what is set from now on; `all`: what the portals still hold, too. */
  start: z.enum(["new", "all"]).default("new"),
  output: z.enum(["auto", "string", "json", "buffer"]).default("auto"),
});
export type InSettings = z.output<typeof inSchema>;

const serverSchema = z.strictObject({
  version,
  name,
  /** TCP port on 127.0.0.1; 0 for any free one. */
  port: z.preprocess(numeric, z.int().min(0).max(65_535).default(8_480)),
  preset: z.enum(["local", "hosted"]).default("local"),
});
export type ServerSettings = z.output<typeof serverSchema>;

export const readConfigSettings = (definition: object): ConfigSettings =>
  readSettings(definition, { type: "xrtc-config", schema: configSchema });

export const readOutSettings = (definition: object): OutSettings =>
  readSettings(definition, { type: "xrtc-out", schema: outSchema });

export const readInSettings = (definition: object): InSettings =>
  readSettings(definition, { type: "xrtc-in", schema: inSchema });

export const readServerSettings = (definition: object): ServerSettings =>
  readSettings(definition, { type: "xrtc-server", schema: serverSchema });
