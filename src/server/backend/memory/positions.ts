/** A position that a look found where it was at an earlier one. */
interface Rest {
  readonly sequence: number;
  readonly sinceMs: number;
}

const NOTHING_READ: ReadonlyMap<string, number> = new Map();

/** How far portals were read. A step takes no memory and no time of day: there is one for each line of each reader. */
export class Positions {
  /** Undefined until there is one: thousands of readers wait who have read nothing yet. */
  #sequences: Map<string, number> | undefined;
  #rests: Map<string, Rest> | undefined;

  /** Sequence number of the last item that was read, or passed over, by portal. A view, not a copy. */
  get sequences(): ReadonlyMap<string, number> {
    return this.#sequences ?? NOTHING_READ;
  }

  moveTo(portalId: string, sequence: number): void {
    this.#sequences ??= new Map();
    this.#sequences.set(portalId, sequence);
  }

  /**
   * Forgets positions that have not moved for so long that every item of their time is gone: portals may come and go
   * for ever. Counts from the first look that found them there, so it has to be called again and again.
   */
  forgetUnmoved(forMs: number, nowMs: number): void {
    if (this.#sequences === undefined) return;
    this.#rests ??= new Map();
    for (const [portalId, sequence] of this.#sequences) {
      const rest = this.#rests.get(portalId);
      if (rest?.sequence !== sequence) {
        this.#rests.set(portalId, { sequence, sinceMs: nowMs });
      } else if (nowMs - rest.sinceMs > forMs) {
        this.#sequences.delete(portalId);
        this.#rests.delete(portalId);
      }
    }
  }
}
