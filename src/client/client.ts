import { XrtcError } from "../errors.js";
import type { Observable } from "../primitives/broadcast.js";
import { abortable } from "../primitives/deadline.js";
import { ANSWER_OVERHEAD_BYTES, encodeItem } from "../protocol/codec.js";
import {
  isPortalId,
  type Item,
  type Mode,
  type NewItem,
  type RequestedPortal,
  type Schedule,
} from "../protocol/item.js";
import type { Limits } from "../protocol/limits.js";
import type { Usage } from "../session/admission.js";
import { Session } from "../session/session.js";
import type { ClientStatus } from "../status.js";
import { Hub } from "../subscription/hub.js";
import { Leases } from "../subscription/leases.js";
import type { MemberCallbacks, Start } from "../subscription/member.js";
import type { Subscription } from "../subscription/subscription.js";
import type { Transport } from "../transport/transport.js";
import { UndiciTransport } from "../transport/undici-transport.js";
import { parcelBytes } from "../writer/batcher.js";
import type { DeliveryLevel, QueuePolicy } from "../writer/policy.js";
import type { SetResult } from "../writer/queued-write.js";
import { Writer } from "../writer/writer.js";
import { ItemApi } from "./item-api.js";
import { parseOptions, type ClientSettings, type XrtcClientOptions } from "./options.js";

/** Options of every call. */
export interface CallOptions {
  /** Gives the call up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `setItems`. */
export interface SetItemsOptions extends CallOptions {
  /** Send again what may have been stored (`atLeastOnce`), or never (`atMostOnce`). @defaultValue "atLeastOnce" */
  readonly level?: DeliveryLevel;
  /** What becomes of a full queue. @defaultValue "reject" */
  readonly queue?: QueuePolicy;
  /** Milliseconds after which a set that is not confirmed fails. @defaultValue retryMsMax */
  readonly ttlMs?: number;
  /** Whose queue it is; policies apply among the sets of one owner. @defaultValue "" */
  readonly owner?: string;
}

/** Options of `getItems`. */
export interface GetItemsOptions extends CallOptions, Pick<MemberCallbacks, "onMalformed"> {
  /** Portal ids, or portals with a reference time. Empty: the latest item of every portal of the account. */
  readonly portals: readonly (string | RequestedPortal)[];
  /** `probe` answers at once, `watch` when there is something, `stream` stays open. @defaultValue "probe" */
  readonly mode?: Mode;
  /** @defaultValue "LIFO" */
  readonly schedule?: Schedule;
  /** Leave out items older than this many ms; -1 for no limit. @defaultValue -1 */
  readonly cutoff?: number;
}

/** Options of `subscribe`. */
export interface SubscribeOptions extends CallOptions, MemberCallbacks {
  /** Portal ids, at least one. */
  readonly portals: readonly string[];
  /** @defaultValue "stream" */
  readonly mode?: Exclude<Mode, "probe">;
  /** @defaultValue "FIFO" */
  readonly schedule?: Schedule;
  /** Leave out items older than this many ms; -1 for no limit. @defaultValue -1 */
  readonly cutoff?: number;
  /** Only what comes from now on, everything that is there, or what came since a time (UNIX ms). @defaultValue "new" */
  readonly start?: Start;
  /** A name in this process under which the place is kept for a while after a close, and taken up again. */
  readonly name?: string;
  /** Items that may wait for the subscriber before reading stops. @defaultValue 1000, minimum 1 */
  readonly queueItemsMax?: number;
}

/** Batches are closed at this size, in bytes: larger ones gain nothing and delay what comes after. */
const BATCH_BYTES_MAX = 65_536;

/**
 * A client of one account and key: sets items and gets them.
 *
 * It logs in at its first request. Close it, or declare it with `await using`.
 */
export class XrtcClient implements AsyncDisposable {
  readonly #settings: ClientSettings;
  readonly #transport: Transport;
  readonly #session: Session;
  readonly #api: ItemApi;
  readonly #writer: Writer;
  readonly #leases = new Leases();
  readonly #hub: Hub;
  #closing: Promise<void> | undefined;

  /** @throws XrtcError `XRTC_OPTIONS`, `XRTC_CREDENTIALS_MISSING` */
  constructor(options: XrtcClientOptions = {}) {
    const settings = parseOptions(options);
    const { clock, random, limits } = settings;
    this.#settings = settings;
    this.#transport = settings.transport ?? new UndiciTransport(settings);
    this.#session = new Session({ ...settings, transport: this.#transport });
    this.#api = new ItemApi(this.#session, clock, settings);
    this.#writer = new Writer({
      sink: this.#api,
      clock,
      random,
      limits: {
        ...settings,
        requestBytesMax: limits.requestBytesMax,
        batchBytesMax: Math.min(BATCH_BYTES_MAX, limits.requestBytesMax),
        batchItemsMax: limits.requestItemsMax,
      },
    });
    this.#hub = new Hub({
      ...settings,
      source: this.#api,
      leases: this.#leases,
      getTimeoutMs: limits.getTimeoutMs,
    });
  }

  /** How the client stands with the service. */
  get status(): Observable<ClientStatus> {
    return this.#session.status;
  }

  /** What was used of what the service allows: this client's requests of the month, and the level that they reached. */
  get usage(): Observable<Usage> {
    return this.#session.usage;
  }

  /** The service's limits as this client keeps them. */
  get limits(): Limits {
    return this.#settings.limits;
  }

  /**
   * Logs in now. Nobody needs to call it: the first request does.
   *
   * @throws XrtcError when the login fails
   */
  async open(options: CallOptions = {}): Promise<void> {
    await this.#session.login(options.signal);
  }

  /**
   * Sets items, all of them or none. Calls keep their order, share requests under load, and are tried again within
   * `attemptsMax` and `retryMsMax`.
   *
   * @returns when the service has answered that it holds them
   * @throws XrtcError `XRTC_PORTAL_INVALID`, `XRTC_PAYLOAD_INVALID`, `XRTC_PAYLOAD_TOO_LARGE` without any request;
   *   `XRTC_QUEUE_FULL`; `XRTC_ITEM_REFUSED`; `XRTC_NOT_CONFIRMED` when it is not known whether they were stored
   */
  async setItems(items: readonly NewItem[], options: SetItemsOptions = {}): Promise<SetResult> {
    if (items.length === 0) throw new XrtcError("XRTC_OPTIONS", "There is no item to set.");
    const { requestItemsMax, lineBytesMax } = this.limits;
    const encodedItems = items.map((item) => encodeChecked(item, lineBytesMax));
    const bytes = parcelBytes(encodedItems);
    if (items.length > requestItemsMax) {
      const message = `The request would have ${items.length} items; ${requestItemsMax} are allowed.`;
      throw new XrtcError("XRTC_PAYLOAD_TOO_LARGE", message, { outcome: "fail" });
    }
    const portalIds = portalIdsOf(items);
    const { level = "atLeastOnce", queue = "reject", owner = "" } = options;
    const { ttlMs = this.#settings.retryMsMax } = options;
    if (!Number.isFinite(ttlMs) || ttlMs <= 0) {
      throw new XrtcError("XRTC_OPTIONS", "Option ttlMs: expected a number of ms above 0.");
    }
    const policy = { level, queue, ttlMs, owner };
    return this.#writer.write({ encodedItems, bytes, portalIds, policy }, options.signal);
  }

  /**
   * Gets items with one request, each as soon as its line has arrived. For reading on and on there is `subscribe`.
   *
   * @throws XrtcError while it is iterated: `XRTC_PORTAL_BUSY` when one of the portals is read already by this client
   */
  async *getItems(options: GetItemsOptions): AsyncGenerator<Item, void, undefined> {
    const { mode = "probe", schedule = "LIFO", cutoff = -1, signal, onMalformed } = options;
    const portals = options.portals.map((portal) =>
      typeof portal === "string" ? { portalId: portal } : portal,
    );
    for (const { portalId } of portals) checkPortalId(portalId);
    checkCutoff(cutoff);
    const release = this.#leasePortals(portals.map(({ portalId }) => portalId));
    try {
      const request = { portals, mode, schedule, cutoffMs: cutoff };
      const turn = await this.#api.get(mode, () => request, signal);
      for await (const line of turn.lines) {
        for (const { portalId, reason } of line.malformed) {
          const where = portalId === undefined ? {} : { portalId };
          const message = `An item cannot be read: ${reason}`;
          onMalformed?.(new XrtcError("XRTC_ITEM_MALFORMED", message, where));
        }
        yield* line.items;
      }
    } finally {
      release();
    }
  }

  /**
   * Reads portals on and on. A portal is read once for all its subscriptions, each gets every item.
   *
   * @throws XrtcError `XRTC_PORTAL_MISSING`, `XRTC_PORTAL_INVALID`, `XRTC_OPTIONS`, `XRTC_CLOSED`
   */
  subscribe(options: SubscribeOptions): Subscription {
    const { portals, mode = "stream", schedule = "FIFO", cutoff = -1, start = "new" } = options;
    const { queueItemsMax = 1_000, name, signal, onMalformed, onGap } = options;
    if (portals.length === 0) {
      throw new XrtcError("XRTC_PORTAL_MISSING", "There is no portal to read.");
    }
    for (const portalId of portals) checkPortalId(portalId);
    checkCutoff(cutoff);
    if (!Number.isSafeInteger(queueItemsMax) || queueItemsMax < 1) {
      throw new XrtcError("XRTC_OPTIONS", "Option queueItemsMax: expected a number from 1 on.");
    }
    const wish = { portals, mode, schedule, cutoffMs: cutoff, start, queueItemsMax };
    const callbacks = {
      ...(onMalformed === undefined ? {} : { onMalformed }),
      ...(onGap === undefined ? {} : { onGap }),
    };
    return this.#hub.subscribe(wish, callbacks, { name, signal });
  }

  /** Takes nothing more, settles what waits, then closes. */
  async drain(options: CallOptions = {}): Promise<void> {
    try {
      await abortable(this.#writer.drain(), options.signal);
    } finally {
      await this.close();
    }
  }

  /** Ends everything now: what waits is told `XRTC_CLOSED`. Calling it twice is one close. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As `drain`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#hub.close()]);
    await this.#session.close();
    await this.#transport.close();
  }

  #leasePortals(portalIds: readonly string[]): () => void {
    const wanted = [...new Set(portalIds)];
    const busy = wanted.find((id) => this.#leases.isHeld(id) || this.#hub.reads(id));
    if (busy !== undefined) {
      throw new XrtcError("XRTC_PORTAL_BUSY", `The portal ${busy} is read already.`, {
        portalId: busy,
      });
    }
    return this.#leases.take(wanted).release;
  }
}

function portalIdsOf(items: readonly NewItem[]): readonly string[] {
  const [first] = items;
  if (first !== undefined && items.length === 1) return [first.portalId];
  return [...new Set(items.map(({ portalId }) => portalId))];
}

function encodeChecked(item: NewItem, lineBytesMax: number): string {
  checkPortalId(item.portalId);
  if (typeof item.payload !== "string") {
    throw new XrtcError("XRTC_PAYLOAD_INVALID", "A payload is a string.", {
      portalId: item.portalId,
      outcome: "fail",
    });
  }
  const encoded = encodeItem(item);
  // No character takes more than 3 bytes: a short item need not be measured.
  if (encoded.length * 3 + ANSWER_OVERHEAD_BYTES <= lineBytesMax) return encoded;
  const answerBytes = Buffer.byteLength(encoded) + ANSWER_OVERHEAD_BYTES;
  // A service takes in no item that it could never hand out.
  if (answerBytes > lineBytesMax) {
    const message = `Nobody could get the item: the answer would have ${answerBytes} bytes; ${lineBytesMax} are allowed.`;
    throw new XrtcError("XRTC_PAYLOAD_TOO_LARGE", message, {
      portalId: item.portalId,
      outcome: "fail",
    });
  }
  return encoded;
}

function checkPortalId(portalId: string): void {
  if (typeof portalId === "string" && isPortalId(portalId)) return;
  const shown =
    typeof portalId === "string" ? JSON.stringify(portalId.slice(0, 40)) : typeof portalId;
  throw new XrtcError("XRTC_PORTAL_INVALID", `${shown} is not a portal id.`, { outcome: "fail" });
}

function checkCutoff(cutoff: number): void {
  if (Number.isSafeInteger(cutoff) && cutoff >= -1) return;
  throw new XrtcError("XRTC_OPTIONS", "Option cutoff: expected whole ms, or -1 for no limit.");
}
