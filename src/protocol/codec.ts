/** Between the wire's spelling and ours. Pure; used by both sides. */

import type * as z from "zod";
import type { ServiceError } from "./error-codes.js";
import type { GetRequest, Item, NewItem } from "./item.js";
import { isPortalId } from "./item.js";
import { asObject, parseJson } from "./json.js";
import { wireError, wireGetRequest, wireItem, wireLoginAnswer } from "./schemas.js";

export interface LoginAnswer {
  /** UNIX milliseconds of the server's clock at login. */
  readonly serverTimestamp: number;
  /** One life of the server's memory, where it offers `seq`. */
  readonly epoch: string | undefined;
  readonly extensions: ReadonlySet<string>;
}

/** An item that came and could not be read: where it was meant for, if that much is known, and why. */
export interface MalformedItem {
  readonly portalId: string | undefined;
  readonly reason: string;
}

/** One line of an answer to a get: a document of its own. */
export interface ReceivedLine {
  readonly items: readonly Item[];
  readonly malformed: readonly MalformedItem[];
  /** The service may break a stream off with an error in the middle. */
  readonly error: ServiceError | undefined;
}

// -- requests, written by the client ------------------------------------------------------------------------------

export const encodeLogin = (accountId: string, apiKey: string): string =>
  JSON.stringify({ accountid: accountId, apikey: apiKey });

export const encodeItem = (item: NewItem): string =>
  `{"portalid":"${item.portalId}","payload":${JSON.stringify(item.payload)}}`;

/** A set request from items that were encoded one by one, so that their size is known before they are batched. */
export const encodeSet = (encodedItems: readonly string[]): string =>
  `{"items":[${encodedItems.join(",")}]}`;

/** Bytes that a set request has beyond its items and the commas between them. */
export const SET_OVERHEAD_BYTES = encodeSet([]).length;

/** Bytes that an item which was set alone gains on its way back, when it is alone in a line of an answer. */
export const ANSWER_OVERHEAD_BYTES = '{"items":[,"servertimestamp":1700000000000]}\n'.length;

export function encodeGet(request: GetRequest): string {
  const portals = request.portals.map(({ portalId, serverTimestamp }) =>
    serverTimestamp === undefined
      ? { portalid: portalId }
      : { portalid: portalId, servertimestamp: serverTimestamp },
  );
  return JSON.stringify({
    portals,
    mode: request.mode,
    schedule: request.schedule,
    cutoff: request.cutoffMs,
  });
}

// -- answers, read by the client ----------------------------------------------------------------------------------

export function decodeLogin(bytes: Uint8Array): LoginAnswer | undefined {
  const parsed = wireLoginAnswer.safeParse(parseJson(bytes));
  if (!parsed.success) return undefined;
  const { servertimestamp, epoch, extensions = [] } = parsed.data;
  return { serverTimestamp: servertimestamp, epoch, extensions: new Set(extensions) };
}

export function decodeSetAnswer(bytes: Uint8Array): number | undefined {
  const timestamp = asObject(parseJson(bytes))?.["servertimestamp"];
  return isTimestamp(timestamp) ? timestamp : undefined;
}

/** The error inside a document, if that is what it is. */
export function decodeError(document: unknown): ServiceError | undefined {
  if (asObject(asObject(document)?.["error"]) === undefined) return undefined;
  const parsed = wireError.safeParse(document);
  if (!parsed.success) return { group: 0, code: 0, message: "an error that cannot be read" };
  const { errorgroup, errorcode, errormessage } = parsed.data.error;
  return { group: errorgroup, code: errorcode, message: errormessage };
}

/**
 * Reads one line of an answer to a get. Own properties only are read, into fresh objects.
 *
 * @throws JsonRefusedError when the line is not a JSON object
 */
export function decodeLine(line: Uint8Array): ReceivedLine | undefined {
  const document = asObject(parseJson(line));
  if (document === undefined) return undefined;
  const list: unknown = Object.hasOwn(document, "items") ? document["items"] : undefined;
  const error = Object.hasOwn(document, "error") ? decodeError(document) : undefined;
  if (list === undefined || list === null) return { items: [], malformed: [], error };
  if (!Array.isArray(list)) {
    const malformed = [{ portalId: undefined, reason: "items: expected an array" }];
    return { items: [], malformed, error };
  }
  const items: Item[] = [];
  const malformed: MalformedItem[] = [];
  for (const candidate of list as readonly unknown[]) {
    const item = decodeItem(candidate);
    if ("reason" in item) malformed.push(item);
    else items.push(item);
  }
  return { items, malformed, error };
}

/** The hot path asks what the schema asks, without its report; what fails goes to the schema for one. */
function decodeItem(candidate: unknown): Item | MalformedItem {
  const object = asObject(candidate);
  if (object !== undefined) {
    const { portalid, payload, servertimestamp, seq } = object;
    if (
      typeof portalid === "string" &&
      isPortalId(portalid) &&
      typeof payload === "string" &&
      isTimestamp(servertimestamp) &&
      (seq === undefined || (isTimestamp(seq) && seq > 0))
    ) {
      return seq === undefined
        ? { portalId: portalid, payload, serverTimestamp: servertimestamp }
        : { portalId: portalid, payload, serverTimestamp: servertimestamp, seq };
    }
  }
  const report = wireItem.safeParse(candidate);
  const portalId = object?.["portalid"];
  return {
    portalId: typeof portalId === "string" && isPortalId(portalId) ? portalId : undefined,
    reason: report.success ? "item: cannot be read" : reasonOf(report.error),
  };
}

const isTimestamp = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** The first thing that a schema found wrong: a path and a reason, never a value. */
export function reasonOf(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "unreadable";
  const path = issue.path.map(String).join(".") || "document";
  return `${path}: ${issue.message}`;
}

// -- requests and answers on the server's side --------------------------------------------------------------------

/** A get request as the server understands it: the protocol's defaults filled in. */
export function decodeGet(document: unknown): GetRequest | { readonly reason: string } {
  const parsed = wireGetRequest.safeParse(document);
  if (!parsed.success) return { reason: reasonOf(parsed.error) };
  const { portals, mode, schedule, cutoff } = parsed.data;
  return {
    portals: (portals ?? []).map(({ portalid, servertimestamp }) =>
      servertimestamp === undefined || servertimestamp === null || servertimestamp === 0
        ? { portalId: portalid }
        : { portalId: portalid, serverTimestamp: servertimestamp },
    ),
    mode: mode ?? "probe",
    schedule: schedule ?? "LIFO",
    cutoffMs: cutoff ?? -1,
  };
}

export const encodeError = (error: ServiceError): string =>
  JSON.stringify({
    error: { errorgroup: error.group, errorcode: error.code, errormessage: error.message },
  });

/** An item as it stands in a line of an answer. Made once, however many readers it has. */
export const encodeReceivedItem = (item: Item, withSeq: boolean): string =>
  encodeReceivedText(
    item.portalId,
    JSON.stringify(item.payload),
    item.serverTimestamp,
    withSeq ? item.seq : undefined,
  );

/** The same of a payload that is JSON already. */
export const encodeReceivedText = (
  portalId: string,
  payloadJson: string,
  serverTimestamp: number,
  seq: number | undefined,
): string =>
  `{"portalid":"${portalId}","payload":${payloadJson},"servertimestamp":${serverTimestamp}` +
  (seq === undefined ? "}" : `,"seq":${seq}}`);
