import { headerOf, type RequestHeaders } from "./exchange.js";
import type { Extension } from "./options.js";
import { invalidArguments } from "./wire-error.js";

/** What a set says in its headers, where the extensions are on. */
export interface SetHeaders {
  readonly idempotencyKey: string | undefined;
  readonly order: { readonly producer: string; readonly number: number } | undefined;
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const PRODUCER = /^[\x21-\x7e]{1,64}$/;
const NUMBER = /^[1-9]\d{0,14}$/;

/**
 * Reads the headers of the extensions `idempotency` and `order`; where one is off, its headers mean nothing.
 *
 * @throws WireError with code 30 when one cannot be read
 */
export function readSetHeaders(
  headers: RequestHeaders,
  extensions: ReadonlySet<Extension>,
): SetHeaders {
  const idempotencyKey = extensions.has("idempotency")
    ? checked(headers, "idempotency-key", KEY)
    : undefined;
  if (!extensions.has("order")) return { idempotencyKey, order: undefined };
  const producer = checked(headers, "xrtc-producer", PRODUCER);
  const number = checked(headers, "xrtc-sequence", NUMBER);
  if (producer === undefined && number === undefined) return { idempotencyKey, order: undefined };
  if (producer === undefined || number === undefined) {
    throw invalidArguments("XRTC-Producer and XRTC-Sequence go together");
  }
  return { idempotencyKey, order: { producer, number: Number(number) } };
}

function checked(headers: RequestHeaders, name: string, form: RegExp): string | undefined {
  if (headers[name] === undefined) return undefined;
  const value = headerOf(headers, name);
  if (value !== undefined && form.test(value)) return value;
  throw invalidArguments(`the header ${name} cannot be read`);
}
