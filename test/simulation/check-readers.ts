/** What must hold of what every reader got: all that is owed to it, once, in order, or a word about what is missing. */

import type { Delivered, History, Post, Reader, Stored } from "./history.js";
import { LENIENT } from "./plan.js";

const same = (item: Delivered, stored: Stored): boolean =>
  item.portalId === stored.portalId &&
  item.payload === stored.payload &&
  item.serverTimestamp === stored.serverTimestamp &&
  (item.seq === undefined || item.seq === stored.seq);

/** Whether two look the same to who has no numbers. */
const isEqual = (a: Stored, b: Stored): boolean =>
  a.portalId === b.portalId && a.payload === b.payload && a.serverTimestamp === b.serverTimestamp;

export function* unstored(items: readonly Delivered[], { stored }: History): Generator<string> {
  const left = [...stored];
  for (const item of items) {
    const index = left.findIndex((each) => same(item, each));
    if (index === -1) yield `delivered twice, or never stored: ${JSON.stringify(item)}`;
    else left.splice(index, 1);
  }
}

export function* readerViolations(reader: Reader, history: History): Generator<string> {
  const { plan } = history;
  yield* causeViolations(reader, history);
  // A server that passes items over without numbering any: what came of a second look at them comes late.
  const isBlind = plan.dialect.fifoOverflow === "skip" && !plan.extensions;
  if (isBlind || reader.command.portals.some((id) => (LENIENT as readonly string[]).includes(id))) {
    yield* unstored(reader.delivered, history);
    return;
  }
  for (const portalId of reader.command.portals) yield* portalViolations(reader, portalId, history);
}

function* portalViolations(reader: Reader, portalId: string, history: History): Generator<string> {
  const { plan } = history;
  const truth = history.stored.filter((item) => item.portalId === portalId);
  const matched = new Set<number>();
  /** Place in the truth of the last item before each place in what was delivered. */
  const places: number[] = [];
  let at = -1;
  for (const item of reader.delivered) {
    places.push(at);
    if (item.portalId !== portalId) continue;
    const next = truth.findIndex((each, index) => index > at && same(item, each));
    if (next === -1) {
      yield `twice, out of order or never stored: ${JSON.stringify(item)}`;
      return;
    }
    at = next;
    matched.add(at);
  }
  places.push(at);
  const isKept = isAllKept(reader, truth, history);
  const covered = coveredBy(isKept ? [] : reader.gaps, portalId, { truth, places, matched });
  yield* overrunViolations(reader, portalId, { truth, matched });
  const { connectedAt: owedFrom = Infinity } = reader;
  const isOwed = (item: Stored, index: number): boolean => {
    if (item.at < owedFrom || covered(index) || (index > at && !reader.open)) return false;
    return !isExcused(item, truth, history);
  };
  for (const [index, item] of truth.entries()) {
    if (matched.has(index) || !isOwed(item, index)) continue;
    // Nobody can tell which of several equal items came: it may have been this one, and another is not owed.
    const equals = [...truth.entries()].filter(([place, each]) =>
      plan.extensions ? place === index : isEqual(each, item),
    );
    // Where the reference is ignored, the rest of several equal items cannot be told from repeats of the first.
    if (plan.dialect.reference === "ignored" && equals.some(([place]) => matched.has(place)))
      continue;
    const missing = equals.filter(([place]) => !matched.has(place)).length;
    if (missing <= equals.filter(([place, each]) => !isOwed(each, place)).length) continue;
    const why = isKept ? "though it was there all the time" : "no gap announced";
    yield `never delivered, ${why}: ${JSON.stringify(item)}`;
  }
}

/**
 * Whether the server holds all items of a portal until the end, gives them to whoever asks by reference, and the reader
 * took them in time: then they are delivered, whatever went wrong on the way, and to announce a gap does not excuse.
 */
function isAllKept(
  { gaps }: Reader,
  truth: readonly Stored[],
  { plan, restarts }: History,
): boolean {
  const { reference, fifoOverflow } = plan.dialect;
  if (reference === "ignored" || fifoOverflow === "skip" || restarts > 0) return false;
  if (truth.length > plan.ringItemsMax || gaps.some(({ gap }) => gap.reason === "queue"))
    return false;
  return plan.commands.every(({ kind }) => kind !== "stepServer");
}

interface Course {
  readonly truth: readonly Stored[];
  readonly places: readonly number[];
  readonly matched: ReadonlySet<number>;
}

/** Whether an announced gap lies where an item is missing. It tells of the past: not of what was set after it. */
function coveredBy(gaps: Reader["gaps"], portalId: string, { truth, places, matched }: Course) {
  const ranges = gaps
    .filter(({ gap }) => gap.portalId === portalId)
    .map(({ gap, from, to, at }) => {
      const placeOf = (seq?: number, timestamp?: number): number =>
        truth.findIndex((each) => each.seq === seq && each.serverTimestamp === timestamp);
      const { before, after } = gap;
      if (gap.reason === "overrun" && before?.seq !== undefined && after !== undefined) {
        const begin = placeOf(before.seq, before.serverTimestamp);
        return [begin, placeOf(after.seq, after.serverTimestamp), at] as const;
      }
      const low = places[from] ?? -1;
      const high = truth.findIndex((_, index) => index > (places[to] ?? low) && matched.has(index));
      const next = truth[high];
      // The first of several equal items was taken for the one that came; it may have been the last.
      const last = truth.findLastIndex((each) => next !== undefined && isEqual(each, next));
      return [low, high === -1 ? truth.length : Math.max(high, last), at] as const;
    });
  return (index: number): boolean =>
    ranges.some(
      ([low, high, at]) => index > low && index < high && (truth[index]?.at ?? Infinity) <= at,
    );
}

/** An exact number must be exact. */
function* overrunViolations(
  { gaps }: Reader,
  portalId: string,
  { truth, matched }: Pick<Course, "truth" | "matched">,
): Generator<string> {
  for (const { gap } of gaps) {
    const { before, after, missing } = gap;
    if (gap.portalId !== portalId || gap.reason !== "overrun") continue;
    const end = truth.findLastIndex(
      ({ seq, serverTimestamp }) =>
        seq === after?.seq && serverTimestamp === after?.serverTimestamp,
    );
    const between = truth.filter(
      (item, index) =>
        item.epoch === truth[end]?.epoch &&
        index < end &&
        !matched.has(index) &&
        item.seq > (before?.seq ?? 0),
    );
    if (between.length !== missing) {
      yield `${JSON.stringify(gap)}, but ${between.length} are missing`;
    }
  }
}

/** Without numbers, nobody can tell what the ring overwrote. */
function isExcused(item: Stored, truth: readonly Stored[], { plan }: History): boolean {
  if (plan.extensions) return false;
  const later = truth.filter(({ epoch, seq }) => epoch === item.epoch && seq > item.seq);
  return later.length >= plan.ringItemsMax;
}

const isBroken = ({ broken, status }: Post): boolean => broken === true || status !== 200;

/** Longest time, in ms, from what may have cost an item to the word about it: a backoff and two turns. */
const WORD_MS = 50_000;

/** Nobody is alarmed without a cause: something broke, or a session was new. */
function* causeViolations({ gaps }: Reader, { posts, restarts, plan }: History): Generator<string> {
  // Where somebody sleeps or reads slowly, a turn may last, and the word about it comes late; where items are passed
  // over, the proof that none is missing may be. A stream that the server itself broke off has begun well.
  if (plan.dialect.fifoOverflow === "skip" || plan.slowBackend) return;
  const isRest = plan.commands.every(
    (each) => each.kind !== "suspend" && !(each.kind === "subscribe" && each.slowMs > 0),
  );
  for (const { gap, at } of gaps) {
    if (gap.reason === "epoch" && restarts === 0) yield `${JSON.stringify(gap)} without a restart`;
    if (gap.reason !== "possible" || !isRest) continue;
    const isCaused = posts.some(
      (post) =>
        post.client === 0 &&
        post.at <= at &&
        (post.kind === "login" || (post.kind === "get" && isBroken(post))) &&
        at - Math.max(post.at, post.answeredAt ?? 0, post.endedAt ?? 0) <= WORD_MS,
    );
    if (!isCaused) yield `${JSON.stringify(gap)} without a cause at ${at}`;
  }
}
