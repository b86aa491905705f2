/** What registrations answer, wherever they are kept. */

import { refusal, type WireError } from "../wire-error.js";

export const unknownToken = (): WireError =>
  refusal("registration", "INVALID_TOKEN", "no registration has this token");

export const wrongCode = (): WireError =>
  refusal("registration", "INVALID_CODE", "the code is wrong");

export const tooManyCodes = (): WireError =>
  refusal("registration", "MAX_CODE_RETRY", "too many wrong codes: start again");

export const tooManyRegistrations = (): WireError =>
  refusal(
    "registration",
    "MAX_CONCURRENT_REGISTRATIONS",
    "too many registrations are under way: try again in some minutes",
  );

export const sentTooOften = (): WireError =>
  refusal("registration", "MAX_CODE_SEND", "the code was sent too often: start again");

export const tooLate = (): WireError =>
  refusal("registration", "TIMEOUT_CODE", "the code came too late: start again");

/** Six digits. The remainder favours no digit that matters: 2³² is 4,294 times a million. */
export const newCode = (randomBytes: (size: number) => Buffer): string =>
  String(randomBytes(4).readUInt32BE() % 1_000_000).padStart(6, "0");
