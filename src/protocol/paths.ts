/** Base URL of the hosted service. */
export const HOSTED_BASE_URL = "https://api.xrtc.org/v1";

/** Where the calls of the XRTC API live below the base URL. */
export const PATHS = {
  login: "/auth/login",
  registrationStart: "/auth/registrationstart",
  registrationCode: "/auth/registrationcode",
  set: "/item/set",
  get: "/item/get",
} as const;

/** The path prefix under which the local server offers the calls; the cookies are bound to it. */
export const API_PREFIX = "/v1";
