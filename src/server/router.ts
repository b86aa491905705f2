import { API_PREFIX, PATHS } from "../protocol/paths.js";
import type { Entry } from "./backend/backend.js";
import type { Call, Handler, ServerContext, SessionHandler } from "./context.js";
import { cookieOf, SESSION_COOKIE } from "./cookies.js";
import { headerOf } from "./exchange.js";
import { getItem } from "./handlers/get-item.js";
import { login } from "./handlers/login.js";
import { finishRegistration, startRegistration } from "./handlers/registration.js";
import { setItem } from "./handlers/set-item.js";
import { serveLater } from "./serve.js";
import { sessionDenied, systemError, tooManyRequests } from "./wire-error.js";

/** Lets only calls with a valid session through, and only as many as the key may make. */
const withSession =
  (handler: SessionHandler): Handler =>
  (context, call) => {
    const id = cookieOf(headerOf(call.request.headers, "cookie"), SESSION_COOKIE);
    const entry = context.backend.sessions.enter(id, call.peer);
    if (entry instanceof Promise) letInLater(handler, context, call, entry);
    else letIn(handler, context, call, entry);
  };

function letIn(handler: SessionHandler, context: ServerContext, call: Call, entry: Entry): void {
  if (entry.kind === "denied") throw sessionDenied();
  if (entry.kind === "tooMany") throw tooMany(entry);
  const { session } = entry;
  const { request, reply, peer, fail } = call;
  // A session in use does not end: its minute counts from the last request's end.
  reply.onClose(() => session.leave());
  handler(context, { request, reply, peer, fail, session });
}

/** Meanwhile the client may be gone, the session over, or the server about to close. */
function letInLater(
  handler: SessionHandler,
  context: ServerContext,
  call: Call,
  entry: Promise<Entry>,
): void {
  let isGone = false;
  call.reply.onClose(() => {
    isGone = true;
  });
  serveLater(context, call, entry, (entered) => {
    const isClosing = context.isClosing();
    const session = entered.kind === "entered" ? entered.session : undefined;
    if (!isGone && !isClosing && session?.isOver !== true) {
      letIn(handler, context, call, entered);
      return;
    }
    session?.leave();
    if (isGone) return;
    throw isClosing ? systemError(503, "the server is closing") : sessionDenied();
  });
}

const tooMany = ({ waitMs, of }: Extract<Entry, { readonly kind: "tooMany" }>): Error =>
  tooManyRequests(
    of === "second" ? "too many requests with this key" : "this month's requests are used up",
    waitMs,
  );

const ROUTES: ReadonlyMap<string, Handler> = new Map([
  [API_PREFIX + PATHS.login, login],
  [API_PREFIX + PATHS.registrationStart, startRegistration],
  [API_PREFIX + PATHS.registrationCode, finishRegistration],
  [API_PREFIX + PATHS.set, withSession(setItem)],
  [API_PREFIX + PATHS.get, withSession(getItem)],
]);

/**
 * Hands a call to the handler of its path.
 *
 * @throws WireError when the call is refused
 */
export function route(context: ServerContext, call: Call): void {
  const { method, path } = call.request;
  const query = path.indexOf("?");
  const handler = ROUTES.get(query === -1 ? path : path.slice(0, query));
  if (handler === undefined) throw systemError(404, "there is no such call");
  if (method !== "POST") throw systemError(405, "every call is a POST");
  handler(context, call);
}
