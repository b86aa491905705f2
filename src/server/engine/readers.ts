import type { EngineReader } from "./engine.js";

/** Who waits for items of which portals of one account. A portal that nobody set to yet can be waited for, too. */
export class Readers {
  readonly #byPortal = new Map<string, Set<EngineReader>>();

  add(portalIds: readonly string[], reader: EngineReader): () => void {
    for (const portalId of portalIds) {
      const readers = this.#byPortal.get(portalId);
      if (readers === undefined) this.#byPortal.set(portalId, new Set([reader]));
      else readers.add(reader);
    }
    return () => this.#remove(portalIds, reader);
  }

  get isEmpty(): boolean {
    return this.#byPortal.size === 0;
  }

  /**
   * Wakes each reader of any of these portals once, the latest comer first: of two gets of one session the older may
   * be one whose client is gone without anybody having noticed, and what it took would be lost.
   */
  wake(portalIds: readonly string[]): void {
    const [only] = portalIds;
    if (only === undefined || portalIds.length > 1) {
      this.#wakeEach(portalIds);
      return;
    }
    // In the order of their coming; a copy, because a reader that is served may leave.
    const readers = [...(this.#byPortal.get(only) ?? [])];
    for (let at = readers.length - 1; at >= 0; at -= 1) readers[at]?.wake(portalIds);
  }

  /** Each with its own of these portals: what the others are costs it nothing. */
  #wakeEach(portalIds: readonly string[]): void {
    const touched = new Map<EngineReader, string[]>();
    for (const portalId of portalIds) {
      for (const reader of this.#byPortal.get(portalId) ?? []) {
        const own = touched.get(reader);
        if (own === undefined) touched.set(reader, [portalId]);
        else own.push(portalId);
      }
    }
    const latestFirst = [...touched].toSorted(([a], [b]) => b.openedAs - a.openedAs);
    for (const [reader, own] of latestFirst) reader.wake(own);
  }

  #remove(portalIds: readonly string[], reader: EngineReader): void {
    for (const portalId of portalIds) {
      const readers = this.#byPortal.get(portalId);
      readers?.delete(reader);
      if (readers?.size === 0) this.#byPortal.delete(portalId);
    }
  }
}
