/** What can be refused without a request. */

import { XrtcError } from "../errors.js";
import { ANSWER_OVERHEAD_BYTES, encodeItem } from "../protocol/codec.js";
import { isPortalId, type Mode, type NewItem, type RequestedPortal } from "../protocol/item.js";

/** One item as it goes over the wire. @throws XrtcError `XRTC_PORTAL_INVALID`, `XRTC_PAYLOAD_INVALID`, `XRTC_PAYLOAD_TOO_LARGE` */
export function encodeChecked(item: NewItem, lineBytesMax: number): string {
  checkPortalId(item.portalId);
  if (typeof item.payload !== "string") {
    throw new XrtcError("XRTC_PAYLOAD_INVALID", "A payload is a string.", {
      portalId: item.portalId,
      outcome: "fail",
    });
  }
  const encoded = encodeItem(item);
  // No character takes more than 3 bytes: a short item need not be measured.
  if (encoded.length * 3 + ANSWER_OVERHEAD_BYTES <= lineBytesMax) return encoded;
  const answerBytes = Buffer.byteLength(encoded) + ANSWER_OVERHEAD_BYTES;
  // A service takes in no item that it could never hand out.
  if (answerBytes > lineBytesMax) {
    const message = `Nobody could get the item: the answer would have ${answerBytes} bytes; ${lineBytesMax} are allowed.`;
    throw new XrtcError("XRTC_PAYLOAD_TOO_LARGE", message, {
      portalId: item.portalId,
      outcome: "fail",
    });
  }
  return encoded;
}

/** @throws XrtcError `XRTC_PORTAL_INVALID` */
export function checkPortalId(portalId: string): void {
  if (typeof portalId === "string" && isPortalId(portalId)) return;
  const shown =
    typeof portalId === "string" ? JSON.stringify(portalId.slice(0, 40)) : typeof portalId;
  throw new XrtcError("XRTC_PORTAL_INVALID", `${shown} is not a portal id.`, { outcome: "fail" });
}

/** @throws XrtcError `XRTC_OPTIONS` */
export function checkCutoff(cutoff: number): void {
  if (Number.isSafeInteger(cutoff) && cutoff >= -1) return;
  throw new XrtcError("XRTC_OPTIONS", "Option cutoff: expected whole ms, or -1 for no limit.");
}

/** Milliseconds between two probes: less is what `stream` is for, and a timer holds no more than 24 days. */
const PROBE_MS = { min: 1_000, max: 86_400_000 } as const;

/** @throws XrtcError `XRTC_OPTIONS` */
export function checkProbeMs(probeMs: number): void {
  if (probeMs >= PROBE_MS.min && probeMs <= PROBE_MS.max) return;
  throw new XrtcError(
    "XRTC_OPTIONS",
    `Option probeMs: expected a number of ms from ${PROBE_MS.min} to ${PROBE_MS.max}.`,
  );
}

/** A get with a name answers once, and knows by itself from where on. @throws XrtcError `XRTC_OPTIONS` */
export function checkNamed(
  mode: Mode,
  portals: readonly RequestedPortal[],
): asserts mode is Exclude<Mode, "stream"> {
  if (mode === "stream") {
    throw new XrtcError("XRTC_OPTIONS", "Option name: a get with a name is a probe or a watch.");
  }
  if (portals.some(({ serverTimestamp }) => serverTimestamp !== undefined)) {
    throw new XrtcError("XRTC_OPTIONS", "Option name: a get with a name has no reference time.");
  }
}
