import { ERROR_GROUPS } from "../../protocol/error-codes.js";
import { decodeBoundedGet, EMPTY_LINE, isRefused } from "../../protocol/server-codec.js";
import type { ServerContext, SessionCall, SessionHandler } from "../context.js";
import type { StoredItem } from "../engine/stored-item.js";
import { composeList, type LineBounds } from "../line.js";
import { OpenGet, STREAM_HEADERS } from "../open-get.js";
import { parseBody } from "../request-body.js";
import { serve } from "../serve.js";
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
  const { backend, settings } = context;
  const isWhole = settings.extensions.has("seq");
  const latest = backend.engine.latest(call.session.accountId);
  serve(context, call, latest, (items) => sendList(context, call, { items, bounds, isWhole }));
}

interface List {
  readonly items: readonly StoredItem[];
  readonly bounds: LineBounds;
  /** Whether what does not fit into a line follows in more of them. */
  readonly isWhole: boolean;
}

/**
 * One line, as the hosted service has it. Where items are numbered there are as many as it takes: a reader that wants
 * only what is new looks here for the newest number of its portals, and a portal that was left out would look empty.
 */
function sendList({ counters }: ServerContext, { reply }: SessionCall, list: List): void {
  const { bounds, isWhole } = list;
  let line = composeList(list.items, bounds);
  counters.itemsDelivered += line?.itemCount ?? 0;
  if (line === undefined || line.rest.length === 0 || !isWhole) {
    sendBytes(reply, line?.bytes ?? EMPTY_LINE);
    return;
  }
  const goOn = (): void => {
    while (line !== undefined) {
      const { bytes, rest } = line;
      line = composeList(rest, bounds);
      counters.itemsDelivered += line?.itemCount ?? 0;
      // What the reader does not keep up with waits for it.
      if (line === undefined) reply.end(bytes);
      else if (!reply.write(bytes)) return;
    }
  };
  reply.head(200, STREAM_HEADERS);
  reply.onDrain(goOn);
  goOn();
}
