import { whenReady } from "../../primitives/maybe-async.js";
import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import { decodeBoundedGet, EMPTY_LINE, isRefused } from "../../protocol/server-codec.js";
import type { ServerContext, SessionCall, SessionHandler } from "../context.js";
import { composeList, type LineBounds } from "../line.js";
import { OpenGet } from "../open-get.js";
import { parseBody } from "../request-body.js";
import { invalidArguments, tooManyRequests } from "../wire-error.js";
import { sendBytes } from "../wire-reply.js";

/** PROTOCOL: get item. */
export const getItem: SessionHandler = (context, call) => {
  const { limits, bounds } = context.settings;
  const decoded = decodeBoundedGet(
    parseBody(call.request.body, ERROR_GROUPS.application),
    limits.portalsMax,
  );
  if (isRefused(decoded)) throw invalidArguments(decoded.reason);
  const lineBounds = {
    itemsMax: limits.lineItemsMax,
    bytesMax: limits.lineBytesMax,
    overflow: context.settings.dialect.fifoOverflow,
  };
  if (decoded.portals.length === 0) {
    listPortals(context, call, lineBounds);
    return;
  }
  if (decoded.mode !== "probe" && call.session.openGets.size >= bounds.waitingGetsPerSessionMax) {
    throw tooManyRequests("too many gets of this session are waiting", limits.getTimeoutMs);
  }
  new OpenGet(context, call, decoded, lineBounds).start();
};

/** PROTOCOL: `portals: []` is the latest item of every portal; nothing waits, and no position moves. */
function listPortals(context: ServerContext, call: SessionCall, bounds: LineBounds): void {
  const { engine, counters } = context;
  whenReady(
    engine.latest(call.session.accountId),
    (items) => {
      const list = composeList(items, bounds);
      counters.itemsDelivered += list?.itemCount ?? 0;
      sendBytes(call.reply, list?.bytes ?? EMPTY_LINE);
    },
    call.fail,
  );
}
