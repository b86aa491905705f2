/** Which addresses a client may send credentials to. */

import { XrtcError } from "../errors.js";
import { isLoopback } from "../transport/proxy-route.js";

/**
 * @param name - what the address is for, for the error
 * @throws XrtcError `XRTC_OPTIONS`
 */
export function checkUrl(name: string, address: string, allowInsecure: boolean): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw badOption(`${name} URL: expected an http or https address`);
  }
  if (url.username !== "" || url.password !== "") {
    throw badOption(`${name} URL: credentials do not belong into an address`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !allowInsecure) {
    throw badOption(
      `${name} URL: plain http to another machine lets anybody on the way read the key; use https, or set allowInsecure`,
    );
  }
}

export const badOption = (reason: string): XrtcError =>
  new XrtcError("XRTC_OPTIONS", `Option ${reason}.`);
