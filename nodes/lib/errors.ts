import { asError, isXrtcError, XrtcError } from "../../src/index.js";

/** Any thrown value as an error with a code. What comes from elsewhere was caused by what the user set. */
export const asXrtcError = (thrown: unknown): XrtcError =>
  isXrtcError(thrown)
    ? thrown
    : new XrtcError("XRTC_OPTIONS", asError(thrown).message, { cause: thrown });
