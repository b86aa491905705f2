/** What a caller may ask for with each call of the client. */

import type { Mode, RequestedPortal, Schedule } from "../protocol/item.js";
import type { MemberCallbacks, Start } from "../subscription/member.js";
import type { DeliveryLevel, QueuePolicy } from "../writer/policy.js";

/** Options of every call. */
export interface CallOptions {
  /** Gives the call up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `setItems`. */
export interface SetItemsOptions extends CallOptions {
  /** Send again what may have been stored (`atLeastOnce`), or never (`atMostOnce`). @defaultValue "atLeastOnce" */
  readonly level?: DeliveryLevel;
  /** What becomes of a full queue. @defaultValue "reject" */
  readonly queue?: QueuePolicy;
  /** Milliseconds after which a set that is not confirmed fails. @defaultValue retryMsMax */
  readonly ttlMs?: number;
  /** Whose queue it is; policies apply among the sets of one owner. @defaultValue "" */
  readonly owner?: string;
}

/** Options of `getItems`. */
export interface GetItemsOptions extends CallOptions, MemberCallbacks {
  /** Portal ids, or portals with a reference time. Empty: the latest item of every portal of the account. */
  readonly portals: readonly (string | RequestedPortal)[];
  /** `probe` answers at once, `watch` when there is something, `stream` stays open. @defaultValue "probe" */
  readonly mode?: Mode;
  /** @defaultValue "LIFO" */
  readonly schedule?: Schedule;
  /** Leave out items older than this many ms; -1 for no limit. @defaultValue -1 */
  readonly cutoff?: number;
  /** A name in this process under which the place is kept, apart from others; such a get is a probe or a watch. */
  readonly name?: string;
}

/** Options of `subscribe`. */
export interface SubscribeOptions extends CallOptions, MemberCallbacks {
  /** Portal ids, at least one. */
  readonly portals: readonly string[];
  /** `probe` asks every `probeMs`, and brings what came since. @defaultValue "stream" */
  readonly mode?: Mode;
  /** Milliseconds from one probe to the next, 1,000 to 86,400,000. @defaultValue 60000 */
  readonly probeMs?: number;
  /** @defaultValue "FIFO" */
  readonly schedule?: Schedule;
  /** Leave out items older than this many ms; -1 for no limit. @defaultValue -1 */
  readonly cutoff?: number;
  /** Only what comes from now on, everything that is there, or what came since a time (UNIX ms). @defaultValue "new" */
  readonly start?: Start;
  /** A name in this process under which the place is kept for a while after a close, and taken up again. */
  readonly name?: string;
  /** Items that may wait for the subscriber before reading stops. @defaultValue 1000, minimum 1 */
  readonly queueItemsMax?: number;
}
