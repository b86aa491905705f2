/** What an admin request that fails is answered; pure. */

import type { ErrorAnswer } from "../contract/admin.js";
import { isXrtcError, type XrtcErrorCode } from "../../src/index.js";

/** HTTP statuses of refusals. Never 401: the editor takes that for the end of its own login. */
export type RefusalStatus = 400 | 403 | 404 | 409 | 415;

/** A request that is refused for what it asks, with what to do about it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: XrtcErrorCode;
  readonly remedy: string;
  readonly status: RefusalStatus;

  constructor(
    message: string,
    {
      code = "XRTC_OPTIONS",
      remedy,
      status = 400,
    }: {
      readonly code?: XrtcErrorCode;
      readonly remedy: string;
      readonly status?: RefusalStatus;
    },
  ) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.status = status;
  }
}

export interface ErrorReply {
  readonly status: number;
  readonly body: ErrorAnswer;
  /** Nobody foresaw it: it belongs into the log. */
  readonly isUnexpected?: true;
}

const MASK = "<redacted>";

/**
 * @param secrets - what was sent to the service: a hostile one may repeat it in its words
 */
export function errorReply(thrown: unknown, secrets: readonly string[] = []): ErrorReply {
  if (thrown instanceof Refusal || isXrtcError(thrown)) {
    const { code, message, remedy } = thrown;
    const status = thrown instanceof Refusal ? thrown.status : 400;
    return { status, body: { code, message: without(message, secrets), remedy } };
  }
  return {
    status: 500,
    isUnexpected: true,
    body: {
      code: "XRTC_SERVICE",
      message: "Something unexpected went wrong; the log of Node-RED says more.",
      remedy: "Look into the log of Node-RED.",
    },
  };
}

const without = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret !== "")
    .reduce((clean, secret) => clean.replaceAll(secret, MASK), text);
