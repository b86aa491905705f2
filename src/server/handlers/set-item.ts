import { hash } from "node:crypto";
import { asError, printable } from "../../errors.js";
import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import type { NewItem } from "../../protocol/item.js";
import { decodeSet, encodeSetAnswer, isRefused } from "../../protocol/server-codec.js";
import type { SetOutcome, SetWish } from "../backend/backend.js";
import type { ServerContext, SessionCall, SessionHandler } from "../context.js";
import { parseBody } from "../request-body.js";
import { readSetHeaders, type SetHeaders } from "../set-headers.js";
import { invalidArguments, systemError, WireError } from "../wire-error.js";
import { sendError, sendJson } from "../wire-reply.js";

/** PROTOCOL: set item, with the extensions `idempotency` and `order`. */
export const setItem: SessionHandler = (context, call) => {
  const { extensions, limits } = context.settings;
  const headers = readSetHeaders(call.request.headers, extensions);
  const wish = new Wish(headers, call.request.body, limits.requestItemsMax);
  call.session.set(wish, (outcome) => answer(context, call, outcome));
};

function answer(context: ServerContext, call: SessionCall, outcome: SetOutcome): void {
  switch (outcome.kind) {
    case "applied":
      if (!outcome.isRepeat) context.counters.itemsSet += outcome.itemCount;
      sendJson(call.reply, encodeSetAnswer(outcome.serverTimestamp));
      break;
    case "refused":
      sendError(call.reply, outcome.error);
      break;
    case "past":
      call.fail(numberUsed());
      break;
    case "late":
      // 400 and not 503: it was not applied, and a client that must not send twice may send it again.
      call.fail(systemError(400, "the sets before this one have not been applied"));
      break;
    case "failed":
      tell(context, outcome.error);
      call.fail(systemError(503, "the items could not be stored"));
      break;
    default:
      outcome satisfies never;
  }
}

function tell({ logger }: ServerContext, error: unknown): void {
  const { message } = asError(error);
  logger.write("error", "store-failed", printable(`items could not be stored: ${message}`));
}

/** Bytes up to which a body is its own fingerprint: to hash it costs as much as the rest of a small set. */
const PLAIN_BYTES_MAX = 256;

/** What a request's headers and body say, read as far as it is asked for. */
class Wish implements SetWish {
  readonly idempotencyKey: SetWish["idempotencyKey"];
  readonly order: SetWish["order"];
  readonly #body: Uint8Array;
  readonly #itemsMax: number;

  constructor({ idempotencyKey, order }: SetHeaders, body: Uint8Array, itemsMax: number) {
    this.idempotencyKey = idempotencyKey;
    this.order = order;
    this.#body = body;
    this.#itemsMax = itemsMax;
  }

  items(): readonly NewItem[] {
    const decoded = decodeSet(parseBody(this.#body, ERROR_GROUPS.application), this.#itemsMax);
    if (isRefused(decoded)) throw invalidArguments(decoded.reason);
    return decoded;
  }

  fingerprint(): string {
    const body = this.#body;
    if (body.length > PLAIN_BYTES_MAX) return `#${hash("sha256", body, "base64")}`;
    return `=${Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1")}`;
  }
}

/** Not 400: its items may be stored already, which a refusal for its content would deny. */
const numberUsed = (): WireError => {
  const { service } = invalidArguments("XRTC-Sequence: this number was used before");
  return new WireError(409, service);
};
