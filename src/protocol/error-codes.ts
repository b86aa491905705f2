import type { XrtcError } from "../errors.js";

/** Groups and codes of the errors that an XRTC service answers, under the names that its documentation gives them. */
export const ERROR_GROUPS = {
  system: 2,
  registration: 3,
  login: 4,
  application: 6,
} as const;

export const ERROR_CODES = {
  INPUT_BINARYJSON_PARSE_FAIL: 20,
  INVALID_ARGUMENTS: 30,
  INVALID_EMAIL: 32,
  INVALID_TOKEN: 33,
  INVALID_CODE: 34,
  INVALID_CREDENTIALS: 35,
  MAX_CONCURRENT_REGISTRATIONS: 40,
  MAX_CODE_SEND: 41,
  MAX_CODE_RETRY: 42,
  TIMEOUT_CODE: 43,
  TOO_FREQUENT_LOGIN: 45,
  SESSION_INVALIDATED: 10011,
} as const;

/** An error as the service words it. */
export interface ServiceError {
  readonly group: number;
  readonly code: number;
  readonly message: string;
}

/**
 * Whether the service refused a request with a code that nobody knows: what is wrong may pass, and may not. An error of
 * the system says of itself that it passes.
 */
export const isAmbiguous = ({ code, serviceGroup }: XrtcError): boolean =>
  code === "XRTC_SERVICE" && serviceGroup !== undefined && serviceGroup !== ERROR_GROUPS.system;
