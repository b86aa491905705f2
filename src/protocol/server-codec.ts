/** Between the wire's spelling and ours, as a server reads requests and writes answers. Pure. */

import { decodeGet, reasonOf } from "./codec.js";
import type { GetRequest, NewItem } from "./item.js";
import { isPortalId } from "./item.js";
import { asObject } from "./json.js";
import {
  wireLoginRequest,
  wireNewItem,
  wireRegistrationCodeRequest,
  wireRegistrationStartRequest,
} from "./schemas.js";

/** Why a request cannot be read: a path and a reason, never a value. */
export interface Refused {
  readonly reason: string;
}

export const isRefused = (value: object): value is Refused => "reason" in value;

// -- requests -----------------------------------------------------------------------------------------------------

export function decodeLoginRequest(
  document: unknown,
): { readonly accountId: string; readonly apiKey: string } | Refused {
  const parsed = wireLoginRequest.safeParse(document);
  if (!parsed.success) return { reason: reasonOf(parsed.error) };
  return { accountId: parsed.data.accountid, apiKey: parsed.data.apikey };
}

/**
 * Reads the items of a set. The hot path asks by hand what the schema asks; only the first item that fails goes to the
 * schema, for its report: ten thousand bad items must not cost ten thousand reports.
 */
export function decodeSet(document: unknown, itemsMax: number): readonly NewItem[] | Refused {
  const list = asObject(document)?.["items"];
  if (!Array.isArray(list)) return { reason: "items: expected an array" };
  if (list.length === 0) return { reason: "items: expected at least one item" };
  if (list.length > itemsMax) return { reason: `items: expected at most ${itemsMax} items` };
  const items: NewItem[] = [];
  for (const [index, candidate] of (list as readonly unknown[]).entries()) {
    const { portalid, payload } = asObject(candidate) ?? {};
    if (typeof portalid === "string" && typeof payload === "string" && isPortalId(portalid)) {
      items.push({ portalId: portalid, payload });
      continue;
    }
    const report = wireNewItem.safeParse(candidate);
    return { reason: `items.${index}.${report.success ? "item" : reasonOf(report.error)}` };
  }
  return items;
}

/** Reads a get whose number of portals is bounded before anything else is looked at. */
export function decodeBoundedGet(document: unknown, portalsMax: number): GetRequest | Refused {
  const portals = asObject(document)?.["portals"];
  if (Array.isArray(portals) && portals.length > portalsMax) {
    return { reason: `portals: expected at most ${portalsMax} portals` };
  }
  return decodeGet(document);
}

export function decodeRegistrationStart(
  document: unknown,
):
  | { readonly email: string; readonly token: string | undefined }
  | (Refused & { readonly isEmail: boolean }) {
  const parsed = wireRegistrationStartRequest.safeParse(document);
  if (!parsed.success) {
    const isEmail = parsed.error.issues[0]?.path[0] === "email";
    return { reason: reasonOf(parsed.error), isEmail };
  }
  return { email: parsed.data.email, token: parsed.data.registrationtoken ?? undefined };
}

export function decodeRegistrationCode(
  document: unknown,
): { readonly token: string; readonly code: string } | Refused {
  const parsed = wireRegistrationCodeRequest.safeParse(document);
  if (!parsed.success) return { reason: reasonOf(parsed.error) };
  return { token: parsed.data.registrationtoken, code: parsed.data.emailcode };
}

// -- answers ------------------------------------------------------------------------------------------------------

export const encodeSetAnswer = (serverTimestamp: number): string =>
  `{"servertimestamp":${serverTimestamp}}`;

export function encodeLoginAnswer(answer: {
  readonly serverTimestamp: number;
  /** Left out where the extension `seq` is off. */
  readonly epoch: string | undefined;
  /** Left out when there are none, as the hosted service does not know the member. */
  readonly extensions: readonly string[];
}): string {
  const { serverTimestamp, epoch, extensions } = answer;
  return JSON.stringify({
    servertimestamp: serverTimestamp,
    epoch,
    extensions: extensions.length > 0 ? extensions : undefined,
  });
}

export const encodeRegistrationStartAnswer = (token: string): string =>
  JSON.stringify({ registrationtoken: token });

export const encodeRegistrationCodeAnswer = (made: {
  readonly accountId: string;
  readonly apiKey: string;
  readonly apiKeyName: string;
}): string =>
  JSON.stringify({ accountid: made.accountId, apikey: made.apiKey, apikeyname: made.apiKeyName });

/** One line of an answer to a get, from items that were encoded one by one. */
export const encodeLine = (encodedItems: readonly string[]): string =>
  `{"items":[${encodedItems.join(",")}]}\n`;

/** Bytes that a line has beyond its items and the commas between them. */
export const LINE_OVERHEAD_BYTES = encodeLine([]).length;

/** The line that says that there is nothing. */
export const EMPTY_LINE: Buffer = Buffer.from("{}\n");
