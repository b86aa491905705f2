/** What a write asks for beyond being stored. */

/**
 * `atLeastOnce`: sent again when nobody knows whether it was stored. `atMostOnce`: sent again only when it provably was
 * not, for toggles and actuators.
 */
export type DeliveryLevel = "atLeastOnce" | "atMostOnce";

/**
 * What becomes of a full queue: the newest write is refused; the oldest is dropped; or, full or not, only the latest
 * write for a portal is kept.
 */
export type QueuePolicy = "reject" | "dropOldest" | "latestOnly";

export interface WritePolicy {
  readonly level: DeliveryLevel;
  readonly queue: QueuePolicy;
  /** Milliseconds after which a write that is not confirmed fails. */
  readonly ttlMs: number;
  /** Whose queue it is: policies apply among the writes of one owner. */
  readonly owner: string;
}
