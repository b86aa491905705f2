import { XrtcError } from "../errors.js";
import type { Observable } from "../primitives/broadcast.js";
import { abortable } from "../primitives/deadline.js";
import type { MalformedItem } from "../protocol/codec.js";
import type { Item, NewItem } from "../protocol/item.js";
import type { Limits } from "../protocol/limits.js";
import type { Usage } from "../session/admission.js";
import { Session } from "../session/session.js";
import type { ClientStatus } from "../status.js";
import { Hub } from "../subscription/hub.js";
import { Leases } from "../subscription/leases.js";
import { NamedGets } from "../subscription/named-gets.js";
import type { Subscription } from "../subscription/subscription.js";
import type { Transport } from "../transport/transport.js";
import { UndiciTransport } from "../transport/undici-transport.js";
import { parcelBytes } from "../writer/batcher.js";
import type { SetResult } from "../writer/queued-write.js";
import { Writer } from "../writer/writer.js";
import type {
  CallOptions,
  GetItemsOptions,
  SetItemsOptions,
  SubscribeOptions,
} from "./call-options.js";
import { checkCutoff, checkNamed, checkPortalId, checkProbeMs, encodeChecked } from "./checks.js";
import { ItemApi } from "./item-api.js";
import type { XrtcClientOptions } from "./options.js";
import { PortalAccess } from "./portal-access.js";
import { parseOptions, type ClientSettings } from "./settings.js";

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
  readonly #hub: Hub;
  readonly #access: PortalAccess;
  readonly #namedGets: NamedGets;
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
      },
    });
    const { getTimeoutMs } = limits;
    const leases = new Leases({ clock, getTimeoutMs });
    const source = this.#api;
    this.#hub = new Hub({ ...settings, source, leases, getTimeoutMs });
    const reading = { hub: this.#hub, leases, clock };
    this.#namedGets = new NamedGets({ ...reading, source, getTimeoutMs });
    this.#access = new PortalAccess({
      ...reading,
      onTake: (portalIds) => this.#namedGets.moved(portalIds),
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
   * Milliseconds that the server's clock is ahead of this machine's, measured at the last login to within half of its
   * round trip; undefined before the first.
   */
  get clockOffsetMs(): number | undefined {
    return this.#session.clockOffsetMs;
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
   * With a name, it brings what is new since the last get of that name, waits for its turn, and takes nothing from
   * whoever else reads the portals.
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
    const portalIds = portals.map(({ portalId }) => portalId);
    const told = ({ portalId, reason }: MalformedItem): void => {
      const where = portalId === undefined ? {} : { portalId };
      const message = `An item cannot be read: ${reason}`;
      onMalformed?.(new XrtcError("XRTC_ITEM_MALFORMED", message, where));
    };
    if (options.name !== undefined && portals.length > 0) {
      const { name, onGap = () => {} } = options;
      checkNamed(mode, portals);
      const wish = { name, portalIds, mode, schedule, cutoffMs: cutoff, onMalformed: told, onGap };
      yield* await this.#namedGets.get(wish, signal);
      return;
    }
    const asked = new Set(portalIds);
    const lease = await this.#access.take(portalIds, signal);
    try {
      const request = { portals, mode, schedule, cutoffMs: cutoff };
      const turn = await this.#api.get(mode, () => request, signal);
      for await (const line of turn.lines) {
        for (const malformed of line.malformed) told(malformed);
        for (const item of line.items) {
          // Another portal's items can only come from a service that errs.
          if (asked.size === 0 || asked.has(item.portalId)) yield item;
        }
      }
      lease.release();
    } finally {
      lease.abandon();
    }
  }

  /** Gives up the place of gets with that name: what is kept for the next one goes, and the next is as the first. */
  forget(name: string): void {
    this.#namedGets.forget(name);
  }

  /**
   * Reads portals on and on. A portal is read once for all its subscriptions, each gets every item.
   *
   * @throws XrtcError `XRTC_PORTAL_MISSING`, `XRTC_PORTAL_INVALID`, `XRTC_OPTIONS`, `XRTC_CLOSED`
   */
  subscribe(options: SubscribeOptions): Subscription {
    const { portals, mode = "stream", schedule = "FIFO", cutoff = -1, start = "new" } = options;
    const { probeMs = 60_000, queueItemsMax = 1_000, name, signal, onMalformed, onGap } = options;
    if (portals.length === 0) {
      throw new XrtcError("XRTC_PORTAL_MISSING", "There is no portal to read.");
    }
    for (const portalId of portals) checkPortalId(portalId);
    checkCutoff(cutoff);
    checkProbeMs(probeMs);
    if (!Number.isSafeInteger(queueItemsMax) || queueItemsMax < 1) {
      throw new XrtcError("XRTC_OPTIONS", "Option queueItemsMax: expected a number from 1 on.");
    }
    const pacing = mode === "probe" ? { mode, probeMs } : { mode };
    const wish = { portals, ...pacing, schedule, cutoffMs: cutoff, start, queueItemsMax };
    const callbacks = {
      ...(onMalformed === undefined ? {} : { onMalformed }),
      ...(onGap === undefined ? {} : { onGap }),
    };
    this.#namedGets.moved(portals);
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
    this.#namedGets.close();
    this.#access.close();
    await Promise.all([this.#writer.close(), this.#hub.close()]);
    await this.#session.close();
    await this.#transport.close();
  }
}

function portalIdsOf(items: readonly NewItem[]): readonly string[] {
  const [first] = items;
  if (first !== undefined && items.length === 1) return [first.portalId];
  return [...new Set(items.map(({ portalId }) => portalId))];
}
