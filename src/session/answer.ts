/** Reading whole answers: bounded, and with the service's own error found in those that failed. */

import { XrtcError } from "../errors.js";
import { decodeError } from "../protocol/codec.js";
import type { ServiceError } from "../protocol/error-codes.js";
import { JsonRefusedError, parseJson } from "../protocol/json.js";
import { RECEIVED_LINE_BYTES_MAX } from "../protocol/limits.js";
import type { TransportResponse } from "../transport/transport.js";
import { answerFailure, parseRetryAfter, transportFailure } from "./failure.js";

/** Bytes of an answer that failed which are looked at for the service's words; an HTML page has none. */
const ERROR_BYTES_MAX = 65_536;

/**
 * The whole body of an answer.
 *
 * @throws XrtcError `XRTC_RESPONSE_INVALID` when it is larger than `bytesMax`, or what cut it
 */
export async function readBody(
  response: TransportResponse,
  bytesMax = RECEIVED_LINE_BYTES_MAX,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        throw new XrtcError(
          "XRTC_RESPONSE_INVALID",
          `The answer is larger than ${bytesMax} bytes.`,
          {
            retryable: true,
            outcome: "unknown",
          },
        );
      }
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw transportFailure(thrown);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}

/** The error that an answer with a status other than 200 means. */
export async function answerError(
  response: TransportResponse,
  wallNow: number,
): Promise<XrtcError> {
  return answerFailure({
    status: response.status,
    retryAfterMs: parseRetryAfter(response.header("retry-after"), wallNow),
    error: await serviceError(response),
  });
}

async function serviceError(response: TransportResponse): Promise<ServiceError | undefined> {
  try {
    return decodeError(parseJson(await readBody(response, ERROR_BYTES_MAX)));
  } catch (thrown) {
    // The status stands, whatever came of the body: a page of HTML, or a connection that broke in it.
    if (thrown instanceof JsonRefusedError || thrown instanceof XrtcError) return undefined;
    throw thrown;
  }
}
