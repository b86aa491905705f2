import { isXrtcError, XrtcError } from "../../src/index.js";

/** Any thrown value as an Error, so that a cause is never lost and never a bare string. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));

/** Any thrown value as an error with a code. What comes from elsewhere was caused by what the user set. */
export const asXrtcError = (thrown: unknown): XrtcError =>
  isXrtcError(thrown)
    ? thrown
    : new XrtcError("XRTC_OPTIONS", asError(thrown).message, { cause: thrown });
