import { API_KEY_LENGTH, PORTAL_ID_LENGTH_MAX } from "./limits.js";

/** An item as it is set. */
export interface NewItem {
  /** 1 to 32 ASCII letters and digits. */
  readonly portalId: string;
  /** Text; binary travels as Base64 inside it. */
  readonly payload: string;
}

/** An item as it is received. */
export interface Item extends NewItem {
  /** UNIX milliseconds, UTC, in the server's clock. */
  readonly serverTimestamp: number;
  /** The item's place in its portal, where the server offers the extension `seq`. */
  readonly seq?: number;
}

/** A portal in a get request. */
export interface RequestedPortal {
  readonly portalId: string;
  /** Reference time in UNIX ms of the server's clock: items from this time on are wanted. */
  readonly serverTimestamp?: number;
}

/** `probe` answers at once, `watch` as soon as there is something, `stream` stays open and writes items as they come. */
export type Mode = "probe" | "watch" | "stream";
/** `LIFO`: newest first, older ones may be skipped. `FIFO`: oldest first, all of them. */
export type Schedule = "LIFO" | "FIFO";

export interface GetRequest {
  /** Empty: the latest item of every portal of the account. */
  readonly portals: readonly RequestedPortal[];
  readonly mode: Mode;
  readonly schedule: Schedule;
  /** Leave out items older than this many ms; -1 for no limit. */
  readonly cutoffMs: number;
}

const PORTAL_ID = new RegExp(`^[A-Za-z0-9]{1,${PORTAL_ID_LENGTH_MAX}}$`);
const ACCOUNT_ID = /^AC\d{1,30}$/;
const API_KEY = new RegExp(`^[A-Za-z0-9]{${API_KEY_LENGTH}}$`);

/** Whether a text is 1 to 32 ASCII letters and digits. */
export const isPortalId = (text: string): boolean => PORTAL_ID.test(text);
/** Whether a text is `AC` and 1 to 30 digits. */
export const isAccountId = (text: string): boolean => ACCOUNT_ID.test(text);
/** Whether a text is 32 ASCII letters and digits. */
export const isApiKey = (text: string): boolean => API_KEY.test(text);
