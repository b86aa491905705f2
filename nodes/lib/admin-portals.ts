/** The portals of an account, as its service lists them. */

import { type Clock, type XrtcClient, XrtcError } from "../../src/index.js";

/** Milliseconds that a list is good for: however often it is asked for, it costs one request in that time. */
export const LIST_MS = 10_000;
/** Milliseconds for a list to arrive. */
const LISTING_MS_MAX = 8_000;
/** Portals of one list; the local server has no more. */
const PORTALS_MAX = 1_000;

/** Asks the service. It takes no items from those who read the portals. */
export async function listPortals(client: XrtcClient, signal: AbortSignal): Promise<string[]> {
  const ids = new Set<string>();
  for await (const { portalId } of client.getItems({ portals: [], signal })) {
    ids.add(portalId);
    if (ids.size >= PORTALS_MAX) break;
  }
  return [...ids].toSorted();
}

interface List {
  readonly at: number;
  readonly portals: Promise<string[]>;
}

/** The last list of each client, or why there is none. */
export class PortalLists {
  readonly #clock: Clock;
  readonly #lists = new WeakMap<XrtcClient, List>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(client: XrtcClient): Promise<string[]> {
    const now = this.#clock.now();
    const known = this.#lists.get(client);
    if (known !== undefined && now - known.at < LIST_MS) return known.portals;
    const portals = this.#list(client);
    this.#lists.set(client, { at: now, portals });
    return portals;
  }

  /** Not given up with the request that asked for it: others may wait for the same. */
  async #list(client: XrtcClient): Promise<string[]> {
    const abort = new AbortController();
    const cancel = this.#clock.schedule(LISTING_MS_MAX, () => abort.abort(late()));
    try {
      return await listPortals(client, abort.signal);
    } finally {
      cancel();
    }
  }
}

const late = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", `The portals were not listed within ${LISTING_MS_MAX / 1_000} s.`);
