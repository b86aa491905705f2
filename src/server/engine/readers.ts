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
    const readers = this.#concerned(portalIds);
    for (let at = readers.length - 1; at >= 0; at -= 1) readers[at]?.wake(portalIds);
  }

  /** In the order of their coming; a copy, because a reader that is served may leave. */
  #concerned(portalIds: readonly string[]): readonly EngineReader[] {
    const [only] = portalIds;
    if (only !== undefined && portalIds.length === 1) {
      return [...(this.#byPortal.get(only) ?? [])];
    }
    const all = new Set<EngineReader>();
    for (const portalId of portalIds) {
      for (const reader of this.#byPortal.get(portalId) ?? []) all.add(reader);
    }
    return [...all].toSorted((a, b) => a.openedAs - b.openedAs);
  }

  #remove(portalIds: readonly string[], reader: EngineReader): void {
    for (const portalId of portalIds) {
      const readers = this.#byPortal.get(portalId);
      readers?.delete(reader);
      if (readers?.size === 0) this.#byPortal.delete(portalId);
    }
  }
}
