/** A refusal as it is kept beside the idempotency key of the set that it decided. */

import { WireError } from "../../wire-error.js";

export const encodeRefusal = ({ status, service }: WireError): string =>
  JSON.stringify([status, service.group, service.code, service.message]);

/** @throws Error when it is none */
export function decodeRefusal(text: string): WireError {
  const parts: unknown = JSON.parse(text);
  const [status, group, code, message] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (typeof status !== "number" || typeof group !== "number" || typeof code !== "number") {
    throw new Error("Redis holds a refusal that cannot be read");
  }
  return new WireError(status, { group, code, message: String(message) });
}
