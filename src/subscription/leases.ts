/**
 * Which portals an open request reads. Two requests for one portal would take items from each other: the position is
 * the session's, not the request's.
 */
export class Leases {
  readonly #held = new Map<string, (() => void)[]>();

  isHeld(portalId: string): boolean {
    return this.#held.has(portalId);
  }

  /** Takes those that are free. @returns them, and what gives them back (calling it twice is harmless) */
  take(portalIds: readonly string[]): {
    readonly taken: ReadonlySet<string>;
    readonly release: () => void;
  } {
    const taken = new Set(portalIds.filter((portalId) => !this.#held.has(portalId)));
    for (const portalId of taken) this.#held.set(portalId, []);
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const portalId of taken) this.#free(portalId);
    };
    return { taken, release };
  }

  /** Calls back once when the portal is given back, at once if it is free. */
  onceFree(portalId: string, callback: () => void): void {
    const waiting = this.#held.get(portalId);
    if (waiting === undefined) callback();
    else waiting.push(callback);
  }

  #free(portalId: string): void {
    const waiting = this.#held.get(portalId) ?? [];
    this.#held.delete(portalId);
    for (const callback of waiting) callback();
  }
}
