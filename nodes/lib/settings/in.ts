/** The settings of xrtc-in, with the defaults that the editor shows. */

import * as z from "zod";
import { OUTPUT_FORMATS } from "../message-in.js";
import { readSettings } from "../saved-settings.js";
import { name, numeric, portalList, text, version } from "./fields.js";

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
  output: z.enum(OUTPUT_FORMATS).default("auto"),
});
export type InSettings = z.output<typeof inSchema>;

export const readInSettings = (definition: object): InSettings =>
  readSettings(definition, { type: "xrtc-in", schema: inSchema });
