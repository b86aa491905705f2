/** The settings of xrtc-in, with the defaults that the editor shows. */

import * as z from "zod";
import type { Start } from "../../../src/index.js";
import { PROBE_SECONDS, timeMs } from "../../contract/in.js";
import { MALFORMED_POLICIES, OUTPUT_FORMATS } from "../message-in.js";
import { readSettings } from "../saved-settings.js";
import { boolean, name, numeric, portalList, text, version } from "./fields.js";

const inSchema = z
  .strictObject({
    version,
    name,
    config: text,
    /** Portal ids with commas or spaces between them; each once. None where messages bring them. */
    portals: portalList,
    /** Whether messages change the portals, pause the node and ask how it stands. */
    dynamic: boolean,
    /** `stream` keeps a request open, `watch` asks anew after each answer, `probe` every `probeSeconds`. */
    mode: z.enum(["stream", "watch", "probe"]).default("stream"),
    probeSeconds: z.preprocess(
      numeric,
      z.int().min(PROBE_SECONDS.min).max(PROBE_SECONDS.max).default(60),
    ),
    schedule: z.enum(["FIFO", "LIFO"]).default("FIFO"),
    /** Leave out items older than this many ms; -1 for no limit. */
    cutoff: z.preprocess(numeric, z.int().min(-1).default(-1)),
    /** `new`: what is set from now on; `all`: what the portals still hold, too; `since`: what came since a time. */
    start: z.enum(["new", "all", "since"]).default("new"),
    /** For `since`: an ISO time or UNIX ms. */
    since: text,
    output: z.enum(OUTPUT_FORMATS).default("auto"),
    malformed: z.enum(MALFORMED_POLICIES).default("error"),
    /** Whether gaps are messages of a second output. */
    gaps: boolean,
  })
  .refine((node) => node.dynamic || node.portals.length > 0, {
    path: ["portals"],
    error: "name at least one portal",
  })
  .refine((node) => node.start !== "since" || timeMs(node.since) !== undefined, {
    path: ["since"],
    error: "expected a time like 2026-01-31T12:00:00Z, or UNIX milliseconds",
  });
export type InSettings = z.output<typeof inSchema>;

export const readInSettings = (definition: object): InSettings =>
  readSettings(definition, { type: "xrtc-in", schema: inSchema });

/** Where the reading starts, as the client takes it. */
export function startOf({ start, since }: Pick<InSettings, "start" | "since">): Start {
  return start === "since" ? { since: timeMs(since) ?? 1 } : start;
}
