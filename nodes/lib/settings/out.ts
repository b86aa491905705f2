/** The settings of xrtc-out, with the defaults that the editor shows. */

import * as z from "zod";
import { isPortalId } from "../../../src/index.js";
import { isPropertyName, propertyNames, QUEUE_MAX, TTL_SECONDS_MAX } from "../../contract/out.js";
import { ENCODINGS } from "../encoding.js";
import { readSettings } from "../saved-settings.js";
import { VALUE_TYPES } from "../typed-value.js";
import { boolean, name, numeric, PORTAL_RULE, text, version } from "./fields.js";

const PROPERTY_RULE =
  "expected names of properties such as retain; req, res and _msgid cannot be sent";

const outSchema = z
  .strictObject({
    version,
    name,
    /** Id of an xrtc-config node. */
    config: text,
    /** As `portalType` says. Blank text: taken from the message. */
    portal: text,
    portalType: z.enum(VALUE_TYPES).default("str"),
    encode: z.enum(ENCODINGS).default("auto"),
    /** What travels with a whole message besides topic and payload: names with commas or spaces between them. */
    properties: text
      .transform(propertyNames)
      .pipe(z.array(z.string().refine(isPropertyName, { error: PROPERTY_RULE }))),
    /** `every`: all in order, at least once; `latest`: only the newest of a portal waits; `once`: at most once. */
    delivery: z.enum(["every", "latest", "once"]).default("every"),
    /** Seconds after which a message that was not set fails; null for as long as it takes. */
    ttlSeconds: z.preprocess(
      numeric,
      z.number().positive().max(TTL_SECONDS_MAX).nullable().default(null),
    ),
    /** Messages that may wait. */
    queueMax: z.preprocess(numeric, z.int().min(QUEUE_MAX.min).max(QUEUE_MAX.max).default(1_000)),
    /** One output, which sends a message on when the service has answered. */
    acknowledge: boolean,
  })
  .refine(({ portal, portalType }) => portalType !== "str" || portal === "" || isPortalId(portal), {
    path: ["portal"],
    error: PORTAL_RULE,
  });
export type OutSettings = z.output<typeof outSchema>;

export const readOutSettings = (definition: object): OutSettings =>
  readSettings(definition, { type: "xrtc-out", schema: outSchema });
