/** The settings of xrtc-server, with the defaults that the editor shows. */

import * as z from "zod";
import { readSettings } from "../saved-settings.js";
import { name, numeric, version } from "./fields.js";

const serverSchema = z.strictObject({
  version,
  name,
  /** TCP port on 127.0.0.1; 0 for any free one. */
  port: z.preprocess(numeric, z.int().min(0).max(65_535).default(8_480)),
  preset: z.enum(["local", "hosted"]).default("local"),
});
export type ServerSettings = z.output<typeof serverSchema>;

export const readServerSettings = (definition: object): ServerSettings =>
  readSettings(definition, { type: "xrtc-server", schema: serverSchema });
