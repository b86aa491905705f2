/** Something that sets items at a server and hears that they are kept. */
export interface Setter {
  open(): Promise<void>;
  /** Resolves when all of them are acknowledged; they go in one request where there is such a thing. */
  set(payloads: readonly string[]): Promise<unknown>;
  /** Items that the server has counted, or undefined where it does not count. */
  stored(): Promise<number | undefined>;
  close(): Promise<void>;
}
