import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import { API_PREFIX } from "../../protocol/paths.js";
import { decodeLoginRequest, encodeLoginAnswer, isRefused } from "../../protocol/server-codec.js";
import type { Login } from "../backend/backend.js";
import type { Call, Handler, ServerContext } from "../context.js";
import { BALANCER_COOKIE, SESSION_COOKIE, setCookie } from "../cookies.js";
import { parseBody, STRANGERS_BYTES_MAX } from "../request-body.js";
import { serve } from "../serve.js";
import { refusal, systemError, tooManyRequests, type WireError } from "../wire-error.js";
import { sendJson } from "../wire-reply.js";

/** PROTOCOL: log in. Answers the server's time and the two cookies of a new session. */
export const login: Handler = (context, call) => {
  const decoded = decodeLoginRequest(
    parseBody(call.request.body, ERROR_GROUPS.login, STRANGERS_BYTES_MAX),
  );
  if (isRefused(decoded)) throw refusal("login", "INVALID_ARGUMENTS", decoded.reason);
  const ended = context.backend.sessions.login(decoded, call.peer);
  serve(context, call, ended, (how) => {
    if (how.kind !== "opened") throw notOpened(context, call.peer, how);
    answer(context, call, how);
  });
};

function answer(
  { settings, counters }: ServerContext,
  { request, reply }: Call,
  { sessionId, epoch }: Extract<Login, { readonly kind: "opened" }>,
): void {
  counters.logins += 1;
  const document = encodeLoginAnswer({
    serverTimestamp: Math.floor(settings.clock.wallNow()),
    epoch: settings.extensions.has("seq") ? epoch : undefined,
    extensions: [...settings.extensions],
  });
  const scope = {
    path: settings.pathPrefix + API_PREFIX,
    isSecure: request.isSecure === true,
  };
  sendJson(reply, document, 200, {
    "set-cookie": [
      setCookie(SESSION_COOKIE, sessionId, scope),
      setCookie(BALANCER_COOKIE, epoch, scope),
    ],
  });
}

function notOpened(
  context: ServerContext,
  peer: string,
  ended: Exclude<Login, { readonly kind: "opened" }>,
): WireError {
  switch (ended.kind) {
    case "refused":
      return refuseCredentials(context, peer);
    case "tooMany":
      return tooManyRequests("too many requests with this key", ended.waitMs);
    case "full":
      return systemError(503, "the server has no room for another session", 5_000);
    case "tooFrequent": {
      const interval = context.settings.limits.loginIntervalMsMin;
      const message = `one login in ${interval} ms with one key`;
      return refusal("login", "TOO_FREQUENT_LOGIN", message);
    }
    default:
      return ended satisfies never;
  }
}

/**
 * One answer for every login that fails. An address that fails too often is told to wait, and never again that its
 * credentials are wrong: somebody else behind the same address must not take itself for refused. The owner of a valid
 * key does not even wait.
 */
function refuseCredentials(context: ServerContext, peer: string): WireError {
  const waitMs = context.failures.count(peer);
  if (waitMs > 0) return tooManyRequests("too many failed logins from this address", waitMs);
  // What is turned away from here on is counted as requests, and not told of one by one: a stranger must not fill a disk.
  const told = context.failures.isSpent(peer)
    ? "a login was refused, the last of this address's share: for a while others are turned away"
    : "a login was refused";
  context.logger.write("warn", "login-refused", told, { peer });
  return refusal("login", "INVALID_CREDENTIALS", "wrong account id or API key");
}
