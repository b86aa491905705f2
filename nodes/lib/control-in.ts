/** What a message tells an xrtc-in to do; pure. */

import { printable, XrtcError } from "../../src/index.js";
import { portalsOf } from "./portals-of.js";

export type Control =
  | { readonly verb: "subscribe" | "unsubscribe"; readonly portals: readonly string[] }
  | { readonly verb: "getSubscriptions" | "pause" | "resume" | "getStatus" };

const VERBS = [
  "subscribe",
  "unsubscribe",
  "getSubscriptions",
  "pause",
  "resume",
  "getStatus",
] as const satisfies readonly Control["verb"][];

/**
 * The verb in `msg.action`, with the portals that it is about.
 *
 * @throws XrtcError XRTC_OPTIONS when there is no such verb; XRTC_PORTAL_MISSING, XRTC_PORTAL_INVALID
 */
export function controlOf(message: Readonly<Record<string, unknown>>): Control {
  const { action } = message;
  const verb = VERBS.find((each) => each === action);
  switch (verb) {
    case "subscribe":
    case "unsubscribe":
      return { verb, portals: portalsOf(message) };
    case undefined:
      throw new XrtcError(
        "XRTC_OPTIONS",
        `msg.action: expected ${VERBS.join(", ")}; received ${received(action)}`,
      );
    default:
      return { verb };
  }
}

const received = (action: unknown): string =>
  typeof action === "string"
    ? `"${printable(action, 40)}"`
    : action === undefined
      ? "none"
      : typeof action;
