/** Which service an xrtc-config means; pure. */

import {
  HOSTED_BASE_URL,
  type Limits,
  type LimitsPreset,
  PATHS,
  XrtcError,
} from "../../src/index.js";
import type { Credentials } from "./credentials.js";
import type { ConfigSettings } from "./settings/config.js";

export interface Urls {
  readonly loginUrl: string;
  readonly setUrl: string;
  readonly getUrl: string;
}

/** All that a client is made from. */
export interface Target extends Urls, Credentials {
  /** Undefined: what fits the address. */
  readonly limits: LimitsPreset | Limits | undefined;
  readonly allowInsecure: boolean;
}

/**
 * The addresses of the three calls for every service but `local`, whose server says its own.
 *
 * @throws XrtcError XRTC_OPTIONS that names the field
 */
export function urlsOf(settings: ConfigSettings): Urls {
  switch (settings.service) {
    case "hosted":
      return urlsBelow(HOSTED_BASE_URL);
    case "custom":
      return urlsBelow(checkedUrl(settings.baseUrl, "base URL"));
    case "urls":
      return {
        loginUrl: checkedUrl(settings.loginUrl, "login URL"),
        setUrl: checkedUrl(settings.setUrl, "set URL"),
        getUrl: checkedUrl(settings.getUrl, "get URL"),
      };
    case "local":
      throw new XrtcError("XRTC_SERVER_MISSING", "the address is that of an xrtc-server node");
    default:
      return settings.service satisfies never;
  }
}

export function urlsBelow(baseUrl: string): Urls {
  const base = baseUrl.replace(/\/+$/, "");
  return {
    loginUrl: base + PATHS.login,
    setUrl: base + PATHS.set,
    getUrl: base + PATHS.get,
  };
}

function checkedUrl(text: string, field: string): string {
  // The text itself stays out of the error: somebody may have put a password into it.
  if (text === "") throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: none is given`);
  if (!URL.canParse(text)) {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: this is no URL`);
  }
  const { protocol, username, password } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: expected https: or http:`);
  }
  if (username !== "" || password !== "") {
    throw new XrtcError("XRTC_OPTIONS", `xrtc-config: ${field}: a URL holds no user or password`);
  }
  return text;
}

/** The limits that a client keeps: those that the user chose, else those that the service is known to have. */
export const limitsOf = (
  { limits }: ConfigSettings,
  known?: Limits,
): LimitsPreset | Limits | undefined => (limits === "auto" ? known : limits);
