import type { GetRequest } from "../protocol/item.js";
import type { Dialect } from "./options.js";

/** The portals of one get. */
export interface WantedPortals {
  readonly ids: readonly string[];
  has(portalId: string): boolean;
  /** The first timestamp that is asked for; undefined where the session's position counts. */
  from(portalId: string): number | undefined;
}

/** @param means - what a reference time means */
export function wantedPortals(
  portals: GetRequest["portals"],
  means: Dialect["reference"],
): WantedPortals {
  const [only] = portals;
  if (only !== undefined && portals.length === 1) {
    return new OnePortal(only.portalId, firstWanted(only.serverTimestamp, means));
  }
  return new SeveralPortals(
    portals.map(({ portalId, serverTimestamp }) => [portalId, firstWanted(serverTimestamp, means)]),
  );
}

/** What most gets have: without a map, which would be a good part of what a reader holds while it waits. */
class OnePortal implements WantedPortals {
  readonly ids: readonly string[];
  readonly #from: number | undefined;

  constructor(portalId: string, from: number | undefined) {
    this.ids = [portalId];
    this.#from = from;
  }

  has(portalId: string): boolean {
    return portalId === this.ids[0];
  }

  from(portalId: string): number | undefined {
    return this.has(portalId) ? this.#from : undefined;
  }
}

class SeveralPortals implements WantedPortals {
  readonly ids: readonly string[];
  readonly #from: ReadonlyMap<string, number | undefined>;

  /** @param from - of a portal that comes twice, the later one counts */
  constructor(from: readonly (readonly [portalId: string, from: number | undefined])[]) {
    this.#from = new Map(from);
    this.ids = [...this.#from.keys()];
  }

  has(portalId: string): boolean {
    return this.#from.has(portalId);
  }

  from(portalId: string): number | undefined {
    return this.#from.get(portalId);
  }
}

/** The first timestamp that a reference time asks for; timestamps are whole milliseconds. */
function firstWanted(
  reference: number | undefined,
  means: Dialect["reference"],
): number | undefined {
  if (reference === undefined || means === "ignored") return undefined;
  return means === "exclusive" ? reference + 1 : reference;
}
