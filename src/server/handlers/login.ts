import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import { API_PREFIX } from "../../protocol/paths.js";
import { decodeLoginRequest, encodeLoginAnswer, isRefused } from "../../protocol/server-codec.js";
import type { AccountKey } from "../account-key.js";
import type { Handler, ServerContext } from "../context.js";
import { BALANCER_COOKIE, SESSION_COOKIE, setCookie } from "../cookies.js";
import { parseBody } from "../request-body.js";
import { Session } from "../session-table.js";
import { refusal, systemError, tooManyRequests, type WireError } from "../wire-error.js";
import { sendJson } from "../wire-reply.js";

/** PROTOCOL: log in. Answers the server's time and the two cookies of a new session. */
export const login: Handler = (context, call) => {
  const decoded = decodeLoginRequest(parseBody(call.request.body, ERROR_GROUPS.login));
  if (isRefused(decoded)) throw refusal("login", "INVALID_ARGUMENTS", decoded.reason);
  const key = context.accounts.verify(decoded.accountId, decoded.apiKey);
  if (key === undefined) throw refuseCredentials(context, call.peer);
  checkFrequency(context, key);
  const session = openSession(context, key, call.peer);
  const { settings, engine, counters } = context;
  counters.logins += 1;
  const answer = encodeLoginAnswer({
    serverTimestamp: Math.floor(settings.clock.wallNow()),
    epoch: settings.extensions.has("seq") ? engine.epoch : undefined,
    extensions: [...settings.extensions],
  });
  const scope = { path: API_PREFIX, isSecure: settings.tls !== undefined };
  sendJson(call.reply, answer, 200, {
    "set-cookie": [
      setCookie(SESSION_COOKIE, session.id, scope),
      setCookie(BALANCER_COOKIE, engine.epoch, scope),
    ],
  });
};

/**
 * One answer for every login that fails. An address that fails too often is told to wait, and never again that its
 * credentials are wrong: somebody else behind the same address must not take itself for refused. The owner of a valid
 * key does not even wait.
 */
function refuseCredentials(context: ServerContext, peer: string): WireError {
  context.logger.write("warn", "login-refused", "a login was refused", { peer });
  const waitMs = context.failures.count(peer);
  if (waitMs > 0) return tooManyRequests("too many failed logins from this address", waitMs);
  return refusal("login", "INVALID_CREDENTIALS", "wrong account id or API key");
}

/** Counted for a valid key only, so that a stranger cannot keep its owner out. */
function checkFrequency({ settings, sessions }: ServerContext, key: AccountKey): void {
  const waitMs = key.requests.tryTake();
  if (waitMs > 0) throw tooManyRequests("too many requests with this key", waitMs);
  if (sessions.size >= settings.bounds.sessionsMax) {
    throw systemError(503, "the server has no room for another session", 5_000);
  }
  if (key.tryLogin()) return;
  const interval = settings.limits.loginIntervalMsMin;
  throw refusal("login", "TOO_FREQUENT_LOGIN", `one login in ${interval} ms with one key`);
}

function openSession(context: ServerContext, key: AccountKey, peer: string): Session {
  const { settings, sessions } = context;
  if (settings.secondLogin === "end") sessions.endOf(key);
  // 128 bits, and new at each login: an id that somebody planted or saw before is worth nothing.
  const id = settings.randomBytes(16).toString("hex").toUpperCase();
  const nowMs = settings.clock.now();
  const isNew = settings.dialect.newLogin === "replay";
  const session = new Session(
    id,
    key,
    peer,
    isNew ? { nowMs } : { nowMs, positions: key.positions },
  );
  sessions.add(session);
  return session;
}
