import type { PortalPage } from "./engine.js";
import { LineCache } from "./line-cache.js";

/** The page of a portal that does not exist. */
export const emptyPage = (portalId: string): PortalPage => ({
  portalId,
  length: 0,
  at: (index) => {
    throw new RangeError(`no item at ${index}`);
  },
  newestSequence: 0,
  firstSequence: 1,
  lines: NO_LINES,
});

const NO_LINES = new LineCache();
