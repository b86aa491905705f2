/** The reference model: what must hold of every history, whatever went wrong on the way. */

import type { Delivered, History, Post, Reader, SetRecord, Stored } from "./history.js";
import { LENIENT } from "./plan.js";

/** @returns what does not hold; nothing when all is well */
export function violations(history: History): string[] {
  return [
    ...history.errors,
    ...restOf(history),
    ...allSetViolations(history),
    ...orderViolations(history),
    ...history.readers.flatMap((reader, index) =>
      [...readerViolations(reader, history)].map((text) => `reader ${index}: ${text}`),
    ),
    ...history.gets.flatMap(({ items }) => [...notStored(items, history)]),
    ...[0, 1].flatMap((client) => [
      ...postViolations(
        history.posts.filter((post) => post.client === client),
        history,
      ),
    ]),
  ];
}

function* restOf({ rest, sets, plan }: History): Generator<string> {
  if (!rest.closed) yield "the client did not close";
  if (rest.timers > 0) yield `${rest.timers} timers are left`;
  if (rest.exchanges > 0) yield `${rest.exchanges} requests are left open`;
  if (rest.waitingGets > 0) yield `${rest.waitingGets} gets are left at the server`;
  // Those in flight do not wait in the queue.
  const bound = 4 * plan.queueCountMax;
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

// -- sets -----------------------------------------------------------------------------------------------------------

function* allSetViolations(history: History): Generator<string> {
  const copies = new Map<string, Stored[]>();
  for (const item of history.stored) {
    const same = copies.get(item.payload);
    if (same === undefined) copies.set(item.payload, [item]);
    else same.push(item);
  }
  const naps = history.plan.commands.flatMap((each) => (each.kind === "suspend" ? [each.ms] : []));
  for (const set of history.sets) yield* setViolations(set, history, copies, naps);
}

function* setViolations(
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
  const grace = result.kind === "error" && result.outcome === "unknown" ? 10_000 : 1_000;
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
  // A client that slept may come back when the server has forgotten its keys.
  const hasSlept = naps.some((ms) => ms > 60_000);
  if (plan.extensions && inOneEpoch > 1 && !hasSlept) yield `${facts()} under one key`;
  if (command.level === "atMostOnce" && count > 1) yield `${facts()}: at most once was asked for`;
  if (result.kind === "ok") {
    if (count === 0) yield facts();
    if (count > result.attempts) yield `${facts()} in ${result.attempts} attempts`;
    if (count > 1 && !result.duplicatePossible && restarts === 0)
      yield `${facts()}, without a word`;
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

// -- readers --------------------------------------------------------------------------------------------------------

const same = (item: Delivered, stored: Stored): boolean =>
  item.portalId === stored.portalId &&
  item.payload === stored.payload &&
  item.serverTimestamp === stored.serverTimestamp &&
  (item.seq === undefined || item.seq === stored.seq);

/** Whether two look the same to who has no numbers. */
const isEqual = (a: Stored, b: Stored): boolean =>
  a.portalId === b.portalId && a.payload === b.payload && a.serverTimestamp === b.serverTimestamp;

function* notStored(items: readonly Delivered[], { stored }: History): Generator<string> {
  const left = [...stored];
  for (const item of items) {
    const index = left.findIndex((each) => same(item, each));
    if (index === -1) yield `delivered twice, or never stored: ${JSON.stringify(item)}`;
    else left.splice(index, 1);
  }
}

function* readerViolations(reader: Reader, history: History): Generator<string> {
  const { plan } = history;
  // A server that passes items over without numbering any: what came of a second look at them comes late.
  const isBlind = plan.dialect.fifoOverflow === "skip" && !plan.extensions;
  if (isBlind || reader.command.portals.some((id) => (LENIENT as readonly string[]).includes(id))) {
    yield* notStored(reader.delivered, history);
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
  const covered = coveredBy(reader, portalId, { truth, places, matched });
  yield* overrunViolations(reader, portalId, { truth, matched });
  const { connectedAt: owedFrom = Infinity } = reader;
  const isOwed = (item: Stored, index: number): boolean => {
    if (item.at < owedFrom || covered(index) || (index > at && !reader.open)) return false;
    return !isExcused(item, truth, history, index > at);
  };
  for (const [index, item] of truth.entries()) {
    if (matched.has(index) || !isOwed(item, index)) continue;
    // Nobody can tell which of several equal items came: it may have been this one, and another is not owed.
    const equals = [...truth.entries()].filter(
      ([, each]) => !plan.extensions && isEqual(each, item),
    );
    // Where the reference is ignored, the rest of several equal items cannot be told from repeats of the first.
    if (plan.dialect.reference === "ignored" && equals.some(([place]) => matched.has(place)))
      continue;
    const missing = equals.filter(([place]) => !matched.has(place)).length;
    if (missing <= equals.filter(([place, each]) => !isOwed(each, place)).length) continue;
    yield `never delivered, no gap announced: ${JSON.stringify(item)}`;
  }
}

interface Course {
  readonly truth: readonly Stored[];
  readonly places: readonly number[];
  readonly matched: ReadonlySet<number>;
}

/** Whether an announced gap lies where an item is missing. */
function coveredBy(reader: Reader, portalId: string, { truth, places, matched }: Course) {
  const ranges = reader.gaps
    .filter(({ gap }) => gap.portalId === portalId)
    .map(({ gap, from, to }) => {
      const placeOf = (seq?: number, timestamp?: number): number =>
        truth.findIndex((each) => each.seq === seq && each.serverTimestamp === timestamp);
      const { before, after } = gap;
      if (gap.reason === "overrun" && before?.seq !== undefined && after !== undefined) {
        const begin = placeOf(before.seq, before.serverTimestamp);
        return [begin, placeOf(after.seq, after.serverTimestamp)] as const;
      }
      const low = places[from] ?? -1;
      const high = truth.findIndex((_, index) => index > (places[to] ?? low) && matched.has(index));
      const next = truth[high];
      // The first of several equal items was taken for the one that came; it may have been the last.
      const last = truth.findLastIndex((each) => next !== undefined && isEqual(each, next));
      return [low, high === -1 ? truth.length : Math.max(high, last)] as const;
    });
  return (index: number): boolean => ranges.some(([low, high]) => index > low && index < high);
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

/** Without numbers, nobody can tell what the ring overwrote, or what the server passed over. */
function isExcused(
  item: Stored,
  truth: readonly Stored[],
  { plan }: History,
  isLast: boolean,
): boolean {
  // With numbers, the next item shows that some are missing: only at the very end nobody can know.
  if (plan.extensions) return isLast && plan.dialect.fifoOverflow === "skip";
  const later = truth.filter(({ epoch, seq }) => epoch === item.epoch && seq > item.seq);
  return later.length >= plan.ringItemsMax;
}

// -- requests -------------------------------------------------------------------------------------------------------

function* postViolations(posts: readonly Post[], { limits }: History): Generator<string> {
  const max = limits.requestsPerSecondMax;
  for (const [index, post] of posts.entries()) {
    const later = posts[index + max];
    if (later !== undefined && later.clientAt - post.clientAt < 1_000) {
      yield `more than ${max} requests in the second from ${post.at}`;
      break;
    }
  }
  yield* loginViolations(posts);
  for (const post of posts) {
    const { kind, at, clientAt, endedAt, naps, endNaps } = post;
    const took = (endedAt ?? Infinity) - clientAt;
    if (kind !== "get" && took > 10_001 && naps === endNaps) {
      yield `a ${kind} of ${at} was open for ${took} ms`;
    }
    if (
      post.retryAfterMs === undefined ||
      post.status === undefined ||
      post.kind === "login" ||
      endedAt === undefined
    )
      continue;
    const until = endedAt + post.retryAfterMs - 1;
    const early = posts.find((each) => each.clientAt > endedAt + 1 && each.clientAt < until);
    if (early !== undefined && early.kind !== "login") {
      yield `asked to wait ${post.retryAfterMs} ms at ${at}, it sent at ${early.at}`;
    }
  }
  yield* stormViolations(posts);
}

function* loginViolations(posts: readonly Post[]): Generator<string> {
  let last: Post | undefined;
  let held: { readonly post: Post; readonly session: string | undefined } | undefined;
  for (const post of posts) {
    if (post.kind !== "login") {
      if (post.expired !== true) continue;
      const before = posts.filter(
        ({ session, clientAt }) => session === post.session && clientAt < post.clientAt,
      );
      const used = Math.max(0, ...before.map(({ endedAt = 0 }) => endedAt));
      if (before.length > 0 && post.clientAt - used > 60_001 && before.at(-1)?.naps === post.naps) {
        yield `a request at ${post.at} under a session that had rested for ${post.clientAt - used} ms`;
      }
      continue;
    }
    if (last !== undefined && !last.refused && post.clientAt - last.clientAt < 5_249) {
      yield `logins at ${last.at} and ${post.at}`;
    }
    if (held !== undefined && !isNeeded(post, held.post, posts)) {
      yield `a login at ${post.at} without need`;
    }
    if (post.status === 200) {
      const first = posts.find(
        (each) => each.kind !== "login" && each.clientAt >= (post.endedAt ?? Infinity),
      );
      held = { post, session: first?.session };
    }
    last = post;
  }
}

/** A login is needed when requests under the last one were denied, when it has rested, and when it never came. */
function isNeeded(login: Post, held: Post, posts: readonly Post[]): boolean {
  const since = posts.filter(
    ({ clientAt, kind }) =>
      kind !== "login" && clientAt >= (held.endedAt ?? Infinity) && clientAt <= login.clientAt,
  );
  const [first] = since;
  if (first === undefined) return true;
  if (since.filter(({ status }) => status === 503).length >= 2) return true;
  if (since.some(({ status, session }) => status === 401 && session === first.session)) return true;
  const used = Math.max(
    ...since.map(({ clientAt, answeredAt = 0, endedAt = Infinity }) =>
      // One that ends in the instant of the login, as when a process wakes up, may end after it.
      endedAt < login.clientAt ? Math.max(clientAt, answeredAt) : clientAt,
    ),
  );
  return (
    login.clientAt - used >= 58_999 ||
    posts.some(
      ({ kind, clientAt, status }) =>
        kind === "login" && clientAt > held.clientAt && clientAt < login.clientAt && status !== 200,
    )
  );
}

/** While nothing is answered, requests become rare. */
function* stormViolations(posts: readonly Post[]): Generator<string> {
  const answers = posts.flatMap(({ status, answeredAt }) =>
    status === 200 ? [answeredAt ?? 0] : [],
  );
  for (const [index, post] of posts.entries()) {
    const last = posts[index + 59];
    if (last === undefined || last.clientAt - post.clientAt > 5_000) continue;
    if (answers.some((at) => at >= post.clientAt - 1_000 && at <= last.clientAt)) continue;
    yield `60 requests from ${post.at} to ${last.at} without an answer`;
    return;
  }
}
