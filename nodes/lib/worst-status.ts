/** How several readings stand as a whole; pure. */

import type { ClientStatus } from "../../src/index.js";

const SEVERITY = {
  connected: 0,
  idle: 1,
  connecting: 2,
  waiting: 3,
  refused: 4,
  closed: 5,
} as const satisfies Record<ClientStatus["kind"], number>;

/** The one that needs attention most; undefined when there is none. */
export function worstOf(statuses: Iterable<ClientStatus>): ClientStatus | undefined {
  let worst: ClientStatus | undefined;
  for (const status of statuses) {
    if (worst === undefined || SEVERITY[status.kind] > SEVERITY[worst.kind]) worst = status;
  }
  return worst;
}
