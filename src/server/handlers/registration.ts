import { printable } from "../../errors.js";
import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import {
  decodeRegistrationCode,
  decodeRegistrationStart,
  encodeRegistrationCodeAnswer,
  encodeRegistrationStartAnswer,
  isRefused,
} from "../../protocol/server-codec.js";
import type { Call, Handler, ServerContext } from "../context.js";
import { newAccountId, newApiKey } from "../../protocol/new-credentials.js";
import { parseBody, STRANGERS_BYTES_MAX } from "../request-body.js";
import { serve } from "../serve.js";
import { refusal, systemError, tooManyRequests } from "../wire-error.js";
import { sendJson } from "../wire-reply.js";

/** PROTOCOL: start registration. The code goes to the log; nothing is mailed. */
export const startRegistration: Handler = (context, call) => {
  const { failures, backend, logger } = context;
  const decoded = decodeRegistrationStart(
    parseBody(call.request.body, ERROR_GROUPS.registration, STRANGERS_BYTES_MAX),
  );
  if (isRefused(decoded)) {
    const code = decoded.isEmail ? "INVALID_EMAIL" : "INVALID_ARGUMENTS";
    throw refusal("registration", code, decoded.reason);
  }
  // Each start allows some guesses at a code of six digits: the number of starts bounds the guesses.
  const waitMs = failures.count(call.peer);
  if (waitMs > 0) throw tooManyRequests("too many registrations from this address", waitMs);
  const started = backend.registrations.start(decoded.email, decoded.token);
  serve(context, call, started, ({ token, code }) => {
    const email = printable(decoded.email);
    logger.write("info", "registration-code", `registration code for ${email}: ${code}`, {
      email,
      code,
    });
    sendJson(call.reply, encodeRegistrationStartAnswer(token));
  });
};

/** PROTOCOL: finish registration. A new account gets its first key. */
export const finishRegistration: Handler = (context, call) => {
  const { accounts, registrations } = context.backend;
  const decoded = decodeRegistrationCode(
    parseBody(call.request.body, ERROR_GROUPS.registration, STRANGERS_BYTES_MAX),
  );
  if (isRefused(decoded)) throw refusal("registration", "INVALID_ARGUMENTS", decoded.reason);
  serve(context, call, accounts.hasRoom(), (hasRoom) => {
    if (!hasRoom) throw systemError(503, "the server has no room for another account", 60_000);
    const finished = registrations.finish(decoded.token, decoded.code);
    serve(context, call, finished, () => createAccount(context, call));
  });
};

/** Tries until an id is free: of 10¹⁶ the first one nearly always is. */
function createAccount(context: ServerContext, call: Call): void {
  const { settings, backend, logger } = context;
  const accountId = newAccountId(settings.randomBytes);
  const apiKey = newApiKey(settings.randomBytes);
  serve(context, call, backend.accounts.create(accountId, apiKey), (isNew) => {
    if (!isNew) {
      createAccount(context, call);
      return;
    }
    logger.write("info", "registered", "an account was registered", { accountId });
    sendJson(call.reply, encodeRegistrationCodeAnswer({ accountId, apiKey, apiKeyName: "key1" }));
  });
}
