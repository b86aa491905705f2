/** How what a backend answers becomes what its server answers. */

import { asError, printable } from "../errors.js";
import type { MaybeAsync } from "../primitives/maybe-async.js";
import type { Call, ServerContext } from "./context.js";
import { systemError, WireError } from "./wire-error.js";

/**
 * Goes on with a value as soon as it is there: in this very call when it already is. What is thrown on the way fails the
 * call; that the value cannot be had is 503.
 */
export function serve<T>(
  context: ServerContext,
  call: Call,
  value: MaybeAsync<T>,
  ready: (value: T) => void,
): void {
  if (value instanceof Promise) serveLater(context, call, value, ready);
  else ready(value);
}

/** The same of a value that is not there yet. */
export function serveLater<T>(
  context: ServerContext,
  call: Call,
  value: Promise<T>,
  ready: (value: T) => void,
): void {
  const failed = (error: unknown): void => call.fail(unavailable(context, error));
  // Apart from each other: what `ready` throws is no failure of the backend.
  value.then(ready, failed).catch(call.fail);
}

/** Never 401 for a backend that cannot serve: every client would log in again, and at once. */
export function unavailable({ logger }: ServerContext, error: unknown): WireError {
  if (error instanceof WireError) return error;
  const { name, message } = asError(error);
  logger.write("error", "engine-failed", printable(`${name}: ${message}`));
  return systemError(503, "the server cannot reach what it keeps just now");
}
