/** The reference model: what must hold of every history, whatever went wrong on the way. */

import { readerViolations, unstored } from "./check-readers.js";
import { requestViolations } from "./check-requests.js";
import { setViolations } from "./check-sets.js";
import type { History } from "./history.js";

/** @returns what does not hold; nothing when all is well */
export function violations(history: History): string[] {
  return [
    ...history.errors,
    ...restOf(history),
    ...setViolations(history),
    ...history.readers.flatMap((reader, index) =>
      [...readerViolations(reader, history)].map((text) => `reader ${index}: ${text}`),
    ),
    ...history.gets.flatMap(({ items }) => [...unstored(items, history)]),
    ...[0, 1].flatMap((client) => [
      ...requestViolations(
        history.posts.filter((post) => post.client === client),
        history,
      ),
    ]),
  ];
}

/** Batches that a writer has in flight where the server keeps their order. */
const WINDOW = 16;

function* restOf({ rest, sets, plan }: History): Generator<string> {
  if (!rest.closed) yield "the client did not close";
  if (rest.timers > 0) yield `${rest.timers} timers are left`;
  if (rest.exchanges > 0) yield `${rest.exchanges} requests are left open`;
  if (rest.waitingGets > 0) yield `${rest.waitingGets} gets are left at the server`;
  // Those in flight do not wait in the queue: each batch takes at most what waited.
  const bound = (1 + (plan.extensions ? WINDOW : 1)) * plan.queueCountMax;
  if (sets.length <= bound) return;
  for (const client of [0, 1]) {
    let waiting = 0;
    const changes = sets
      .filter(({ command }) => command.client === client)
      .flatMap(({ at, settledAt = Infinity }) => [
        { at, by: 1 },
        { at: settledAt, by: -1 },
      ]);
    for (const { at, by } of changes.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
      waiting += by;
      if (waiting === bound + 1) yield `${waiting} sets wait at ${at}; ${plan.queueCountMax} may`;
    }
  }
}
