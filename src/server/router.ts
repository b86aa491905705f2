import { API_PREFIX, PATHS } from "../protocol/paths.js";
import type { Call, Handler, ServerContext, SessionHandler } from "./context.js";
import { cookieOf, SESSION_COOKIE } from "./cookies.js";
import { headerOf } from "./exchange.js";
import { getItem } from "./handlers/get-item.js";
import { login } from "./handlers/login.js";
import { finishRegistration, startRegistration } from "./handlers/registration.js";
import { setItem } from "./handlers/set-item.js";
import { sessionDenied, systemError, tooManyRequests } from "./wire-error.js";
import type { Session } from "./session-table.js";

/** Lets only calls with a valid session through, and only as many as the key may make. */
const withSession =
  (handler: SessionHandler): Handler =>
  (context, call) => {
    const id = cookieOf(headerOf(call.request.headers, "cookie"), SESSION_COOKIE);
    const session = context.sessions.find(id, call.peer);
    if (session === undefined) throw sessionDenied();
    use(context, call, session);
    checkRate(context, session);
    const { request, reply, peer, fail } = call;
    handler(context, { request, reply, peer, fail, session });
  };

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

/** A session in use does not end: its minute counts from the last request's end. */
function use({ settings }: ServerContext, call: Call, session: Session): void {
  session.requests += 1;
  session.lastUsedAtMs = settings.clock.now();
  session.key.use();
  call.reply.onClose(() => {
    session.requests -= 1;
    session.lastUsedAtMs = settings.clock.now();
  });
}

function checkRate({ settings }: ServerContext, session: Session): void {
  const waitMs = session.key.requests.tryTake();
  if (waitMs > 0) throw tooManyRequests("too many requests with this key", waitMs);
  const monthMs = session.key.account.countRequest(settings.clock.wallNow());
  if (monthMs > 0) throw tooManyRequests("this month's requests are used up", monthMs);
}
