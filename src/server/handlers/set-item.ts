import { hash } from "node:crypto";
import { whenReady } from "../../primitives/maybe-async.js";
import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import type { NewItem } from "../../protocol/item.js";
import { decodeSet, encodeSetAnswer, isRefused } from "../../protocol/server-codec.js";
import type { ServerContext, SessionCall, SessionHandler } from "../context.js";
import type { SetDecision } from "../idempotency.js";
import { parseBody } from "../request-body.js";
import { readSetHeaders } from "../set-headers.js";
import { SetOrder } from "../set-order.js";
import { invalidArguments, systemError, WireError } from "../wire-error.js";
import { sendError, sendJson } from "../wire-reply.js";

/** Hears how a set was decided, or undefined when it was turned away undecided. */
type OnDecided = (decision: SetDecision | undefined) => void;

/** PROTOCOL: set item, with the extensions `idempotency` and `order`. */
export const setItem: SessionHandler = (context, call) => {
  const { idempotencyKey, order } = readSetHeaders(
    call.request.headers,
    context.settings.extensions,
  );
  if (order === undefined) {
    attempt(context, call, idempotencyKey, () => {});
    return;
  }
  const places = orderOf(context, call, order.producer);
  if (places.isEarly(order.number)) checkPatience(context, call);
  places.enter(order.number, {
    run: () =>
      attempt(context, call, idempotencyKey, (decision) => {
        if (decision === undefined) places.released();
        else if (decision.kind === "refused") places.refused();
        else places.applied();
      }),
    past: () => answerAgain(call, idempotencyKey),
    // 400 and not 503: it was not applied, and a client that must not send twice may send it again.
    late: () => call.fail(systemError(400, "the sets before this one have not been applied")),
  });
};

/** Decides a set, or finds how its key was decided before, and answers. */
function attempt(
  context: ServerContext,
  call: SessionCall,
  idempotencyKey: string | undefined,
  onDecided: OnDecided,
): void {
  const answer: OnDecided = (decision) => {
    if (decision === undefined) call.fail(systemError(503, "the items could not be stored"));
    else answerDecision(call, decision);
    onDecided(decision);
  };
  if (idempotencyKey === undefined) {
    decide(context, call, answer);
    return;
  }
  const { idempotency } = call.session.key.account;
  const claim = idempotency.claim(idempotencyKey, fingerprintOf(call), answer);
  if (claim.kind === "known") answer(claim.decision);
  else if (claim.kind === "conflict") answer({ kind: "refused", error: keyConflict() });
  else if (claim.kind === "new") {
    decide(context, call, (decision) => {
      idempotency.settle(idempotencyKey, decision);
      answer(decision);
    });
  }
}

/** All items are stored, or none; an answer that says so comes after the engine holds them. */
function decide(context: ServerContext, call: SessionCall, onDecided: OnDecided): void {
  const { engine, counters, settings, logger } = context;
  const failed = (error: unknown): void => {
    if (error instanceof WireError && error.status === 400) {
      onDecided({ kind: "refused", error });
      return;
    }
    logger.write("error", "store-failed", "items could not be stored");
    onDecided(undefined);
  };
  let items: readonly NewItem[];
  let stored: ReturnType<typeof engine.append>;
  try {
    items = itemsOf(call, settings.limits.requestItemsMax);
    stored = engine.append(call.session.accountId, items);
  } catch (error) {
    failed(error);
    return;
  }
  whenReady(
    stored,
    (serverTimestamp) => {
      counters.itemsSet += items.length;
      onDecided({ kind: "applied", serverTimestamp });
    },
    failed,
  );
}

function itemsOf(call: SessionCall, itemsMax: number): readonly NewItem[] {
  const decoded = decodeSet(parseBody(call.request.body, ERROR_GROUPS.application), itemsMax);
  if (isRefused(decoded)) throw invalidArguments(decoded.reason);
  return decoded;
}

function answerDecision(call: SessionCall, decision: SetDecision): void {
  if (decision.kind === "refused") sendError(call.reply, decision.error);
  else sendJson(call.reply, encodeSetAnswer(decision.serverTimestamp));
}

/** A number that was used before: the original answer if its key is still known. */
function answerAgain(call: SessionCall, idempotencyKey: string | undefined): void {
  const decision =
    idempotencyKey === undefined
      ? undefined
      : call.session.key.account.idempotency.peek(idempotencyKey, fingerprintOf(call));
  if (decision !== undefined) answerDecision(call, decision);
  else call.fail(numberUsed());
}

function orderOf(context: ServerContext, call: SessionCall, producer: string): SetOrder {
  const { producers } = call.session;
  const known = producers.get(producer);
  if (known === undefined) makeRoom(producers, context.settings.bounds.producersPerSessionMax);
  // The one used last stands last.
  else producers.delete(producer);
  const order = known ?? new SetOrder(context.earlySetTimeouts);
  producers.set(producer, order);
  return order;
}

/** A client takes a new producer whenever a number will never be used: the one that rested longest is forgotten. */
function makeRoom(producers: Map<string, SetOrder>, max: number): void {
  if (producers.size < max) return;
  for (const [producer, order] of producers) {
    if (!order.isIdle) continue;
    producers.delete(producer);
    return;
  }
  throw systemError(400, `sets of ${max} producers of this session wait for the ones before them`);
}

/** Sets that wait hold their bodies: only so many may. */
function checkPatience(context: ServerContext, call: SessionCall): void {
  let waiting = 0;
  for (const order of call.session.producers.values()) waiting += order.waitingCount;
  if (waiting < context.settings.bounds.earlySetsPerSessionMax) return;
  throw systemError(400, "too many sets of this session wait for the ones before them");
}

/** Bytes up to which a body is its own fingerprint: to hash it costs as much as the rest of a small set. */
const PLAIN_BYTES_MAX = 256;

/** What tells one body from another. */
function fingerprintOf(call: SessionCall): string {
  const { body } = call.request;
  if (body.length > PLAIN_BYTES_MAX) return `#${hash("sha256", body, "base64")}`;
  return `=${Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1")}`;
}

/** Not 400: its items may be stored already, which a refusal for its content would deny. */
const numberUsed = (): WireError => {
  const { service } = invalidArguments("XRTC-Sequence: this number was used before");
  return new WireError(409, service);
};

const keyConflict = (): WireError =>
  invalidArguments("Idempotency-Key: this key was used with another body");
