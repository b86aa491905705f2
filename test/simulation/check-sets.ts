/** What must hold of every set: of its outcome, of its copies, and of its place. */

import type { History, SetRecord, Stored } from "./history.js";

export function* setViolations(history: History): Generator<string> {
  const copies = new Map<string, Stored[]>();
  for (const item of history.stored) {
    const same = copies.get(item.payload);
    if (same === undefined) copies.set(item.payload, [item]);
    else same.push(item);
  }
  const naps = history.plan.commands.flatMap((each) => (each.kind === "suspend" ? [each.ms] : []));
  for (const set of history.sets) yield* outcomeViolations(set, history, copies, naps);
  yield* orderViolations(history);
}

function* outcomeViolations(
  set: SetRecord,
  { plan, restarts }: History,
  stored: ReadonlyMap<string, readonly Stored[]>,
  naps: readonly number[],
): Generator<string> {
  const { id, command, result, payloads, at, settledAt = Infinity } = set;
  if (result === undefined) {
    yield `${id} was never settled`;
    return;
  }
  const says = (): string => `${id} ended ${JSON.stringify(result)}`;
  // A batch that may have been stored stays whole until the last of its sets has lived its time.
  const wasUnknown = result.kind === "ok" ? result.attempts > 1 : result.outcome === "unknown";
  const grace = wasUnknown ? 10_000 : 1_000;
  if (settledAt - at > command.ttlMs + grace && naps.length === 0) {
    yield `${says()} after ${settledAt - at} ms; its time is ${command.ttlMs}`;
  }
  if (set.calm && result.kind !== "ok") yield `${says()} although nothing was wrong any more`;
  if (result.kind === "ok" && !result.storedThen) yield `${says()} before it was stored`;
  if (command.twin) return;
  const copies = payloads.map((payload) => stored.get(payload) ?? []);
  const counts = copies.map((items) => items.length);
  const [count = 0] = counts;
  if (counts.some((each) => each !== count)) yield `${says()} and was stored in parts`;
  const inOneEpoch = Math.max(
    0,
    ...[...new Set(copies[0]?.map(({ epoch }) => epoch))].map(
      (epoch) => copies[0]?.filter((item) => item.epoch === epoch).length ?? 0,
    ),
  );
  const facts = (): string => `${says()} and is stored ${count} times`;
  // A client that slept may come back when the server has forgotten its keys. It finds out by the calendar, unless that
  // was set meanwhile.
  const hasSlept = naps.some((ms) => ms > 60_000);
  const isSet = plan.commands.some(({ kind }) => kind === "stepClient");
  const isTold = result.kind === "error" || result.duplicatePossible || (hasSlept && isSet);
  if (plan.extensions && inOneEpoch > 1 && !(hasSlept && isTold)) yield `${facts()} under one key`;
  if (command.level === "atMostOnce" && count > 1) yield `${facts()}: at most once was asked for`;
  if (result.kind === "ok") {
    if (count === 0) yield facts();
    if (count > result.attempts) yield `${facts()} in ${result.attempts} attempts`;
    if (count > 1 && !isTold && restarts === 0) yield `${facts()}, without a word`;
  } else if (result.outcome === undefined) yield `${says()} without an outcome`;
  else if (result.outcome === "fail" && count > 0) yield facts();
}

/** What one client set to one portal is there in the order of the calls. */
function* orderViolations({ sets, stored }: History): Generator<string> {
  const first = new Map<string, number>();
  for (const [index, { portalId, payload }] of stored.entries()) {
    const key = `${portalId}/${payload}`;
    if (!first.has(key)) first.set(key, index);
  }
  const last = new Map<string, { readonly id: string; readonly index: number }>();
  for (const { id, command, payloads, result } of sets) {
    if (command.twin || result?.kind !== "ok") continue;
    for (const [place, portalId] of command.portals.entries()) {
      const lane = `${command.client}/${portalId}`;
      const index = first.get(`${portalId}/${payloads[place]}`) ?? -1;
      const before = last.get(lane);
      if (before !== undefined && index < before.index) {
        yield `${id} stands before ${before.id} in ${portalId}`;
      }
      last.set(lane, { id, index });
    }
  }
}
