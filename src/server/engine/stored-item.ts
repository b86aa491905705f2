/** An item as an engine holds it. */
export interface StoredItem {
  readonly portalId: string;
  /** Place in its portal: 1, 2, 3, … */
  readonly sequence: number;
  /** Place among all items of its account, by arrival: what merges several portals into one line. */
  readonly order: number;
  /** UNIX milliseconds of the server's clock. */
  readonly serverTimestamp: number;
  /** Monotonic milliseconds of its arrival: what its age is counted from. */
  readonly storedAtMs: number;
  /** The item as it stands in a line of an answer; made once, however many readers it has. */
  readonly encoded: string;
  /** Bytes of `encoded`. */
  readonly bytes: number;
}
