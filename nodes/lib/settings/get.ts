/** The settings of xrtc-get, with the defaults that the editor shows. */

import * as z from "zod";
import { isPortalId } from "../../../src/index.js";
import { MALFORMED_POLICIES, OUTPUT_FORMATS } from "../message-in.js";
import { splitPortals } from "../portals-wanted.js";
import { readSettings } from "../saved-settings.js";
import { VALUE_TYPES } from "../typed-value.js";
import { name, numeric, text, version } from "./fields.js";

const getSchema = z
  .strictObject({
    version,
    name,
    /** Id of an xrtc-config node. */
    config: text,
    /** As `portalsType` says; text: ids with commas or spaces between them. Blank text: taken from the message. */
    portals: text,
    portalsType: z.enum(VALUE_TYPES).default("str"),
    /** `probe` answers at once, `watch` when something has come; `all`: the latest item of every portal. */
    mode: z.enum(["probe", "watch", "all"]).default("probe"),
    schedule: z.enum(["LIFO", "FIFO"]).default("LIFO"),
    /** Leave out items older than this many ms; -1 for no limit. */
    cutoff: z.preprocess(numeric, z.int().min(-1).default(-1)),
    /** `each`: a message for each item; `array`: one message with all of them. */
    result: z.enum(["each", "array"]).default("each"),
    output: z.enum(OUTPUT_FORMATS).default("auto"),
    /** What becomes of an item that is not as `output` expects. */
    malformed: z.enum(MALFORMED_POLICIES).default("error"),
  })
  .refine(
    ({ mode, portals, portalsType }) =>
      mode === "all" || portalsType !== "str" || portals === "" || isPortalList(portals),
    { path: ["portals"], error: "a portal id is 1 to 32 ASCII letters and digits" },
  );

function isPortalList(list: string): boolean {
  const ids = splitPortals(list);
  return ids.length > 0 && ids.every(isPortalId);
}

export type GetSettings = z.output<typeof getSchema>;

export const readGetSettings = (definition: object): GetSettings =>
  readSettings(definition, { type: "xrtc-get", schema: getSchema });
