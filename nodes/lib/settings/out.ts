/** The settings of xrtc-out, with the defaults that the editor shows. */

import * as z from "zod";
import { readSettings } from "../saved-settings.js";
import { name, portal, text, version } from "./fields.js";

const outSchema = z.strictObject({
  version,
  name,
  /** Id of an xrtc-config node. */
  config: text,
  /** Blank: taken from the message. */
  portal,
});
export type OutSettings = z.output<typeof outSchema>;

export const readOutSettings = (definition: object): OutSettings =>
  readSettings(definition, { type: "xrtc-out", schema: outSchema });
