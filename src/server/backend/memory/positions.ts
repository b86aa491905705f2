/** How far portals were read. Made so that a look at it, and a step in a portal that is known, take no memory. */
export class Positions {
  readonly #sequences = new Map<string, number>();
  readonly #movedAtMs = new Map<string, number>();

  /** Sequence number of the last item that was read, or passed over, by portal. A view, not a copy. */
  get sequences(): ReadonlyMap<string, number> {
    return this.#sequences;
  }

  moveTo(portalId: string, sequence: number, nowMs: number): void {
    this.#sequences.set(portalId, sequence);
    this.#movedAtMs.set(portalId, nowMs);
  }

  /** Forgets positions in portals whose every item of that time is gone, so that portals may come and go for ever. */
  forgetBefore(nowMs: number): void {
    for (const [portalId, movedAtMs] of this.#movedAtMs) {
      if (movedAtMs >= nowMs) continue;
      this.#movedAtMs.delete(portalId);
      this.#sequences.delete(portalId);
    }
  }
}
