import type { Gap } from "../../src/index.js";
import type { Translate } from "./look-text.js";

/** The texts of gaps, as every node of the package finds them. */
const CATALOGUE = "@xrtc-community/node-red-xrtc/xrtc-in:gap";

/** That items are missing, and why, in the runtime's language. */
export const gapText = ({ portalId, reason, missing }: Gap, translate: Translate): string =>
  translate(`${CATALOGUE}.${missing === undefined ? "some" : "counted"}`, {
    portalid: portalId,
    missing: String(missing),
    reason: translate(`${CATALOGUE}.${reason}`),
  });
