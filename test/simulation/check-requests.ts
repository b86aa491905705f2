/** What must hold of what a client sends: its pace, its logins, its patience. */

import type { History, Post } from "./history.js";

export function* requestViolations(
  posts: readonly Post[],
  { limits, counted }: History,
): Generator<string> {
  const [first] = posts;
  if (first === undefined) return;
  const used = counted[first.client];
  if (used !== posts.length) yield `${posts.length} requests, but ${used} are counted`;
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
    // It counts from the head on; a body of no interest may follow.
    const from = post.answeredAt ?? endedAt;
    const until = from + post.retryAfterMs - 1;
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
  // After a sleep, nothing tells that the session is still alive.
  if (since.every(({ naps }) => naps !== login.naps)) return true;
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
  // A set that is refused for its content is answered, too.
  const answers = posts.flatMap(({ status, answeredAt, broken }) =>
    status === 200 || (status === 400 && broken !== true) ? [answeredAt ?? 0] : [],
  );
  for (const [index, post] of posts.entries()) {
    const last = posts[index + 59];
    if (last === undefined || last.clientAt - post.clientAt > 5_000) continue;
    if (answers.some((at) => at >= post.clientAt - 1_000 && at <= last.clientAt)) continue;
    yield `60 requests from ${post.at} to ${last.at} without an answer`;
    return;
  }
}
