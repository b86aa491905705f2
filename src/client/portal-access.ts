import { XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import type { Signal } from "../primitives/signal.js";
import type { Hub } from "../subscription/hub.js";
import type { Lease, Leases } from "../subscription/leases.js";

export interface PortalAccessOptions {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly leases: Leases;
  /** Told of portals whose position in the session is about to be moved. */
  readonly onTake: (portalIds: readonly string[]) => void;
}

/** Milliseconds that a get waits for what ends by itself. */
const FREE_MS_MAX = 60_000;

/** Leave for one get to read portals that nothing else of the client reads, until its caller is done. */
export class PortalAccess {
  readonly #options: PortalAccessOptions;
  #isClosed = false;

  constructor(options: PortalAccessOptions) {
    this.#options = options;
  }

  /**
   * Takes the portals, all of them.
   *
   * @throws XrtcError `XRTC_PORTAL_BUSY` when one is read for longer; `XRTC_CLOSED`; the signal's reason
   */
  async take(portalIds: readonly string[], signal?: Signal): Promise<Lease> {
    const { leases, onTake } = this.#options;
    const wanted = [...new Set(portalIds)];
    this.#refuseBusy(wanted);
    if (wanted.some((id) => leases.isHeld(id))) await this.#untilFree(wanted, signal);
    onTake(wanted);
    return leases.take(wanted, { isCallers: true });
  }

  /** Whoever waits is told `XRTC_CLOSED` as soon as the portal is free, which it soon is: all that reads ends. */
  close(): void {
    this.#isClosed = true;
  }

  /** Waits for what ends by itself: a get with a name, or the last turn of a subscription that was closed. */
  async #untilFree(portalIds: readonly string[], signal?: Signal): Promise<void> {
    const { clock, leases } = this.#options;
    const deadline = new Deadline(clock, signal);
    deadline.set(FREE_MS_MAX, () => busyError(portalIds));
    try {
      for (;;) {
        const held = portalIds.find((id) => leases.isHeld(id));
        if (held === undefined) return;
        await leases.free(held, deadline.signal);
        // What held it may have ended with the client.
        if (this.#isClosed) throw new XrtcError("XRTC_CLOSED", "The client is closed.");
        this.#refuseBusy(portalIds);
      }
    } finally {
      deadline.dispose();
    }
  }

  #refuseBusy(portalIds: readonly string[]): void {
    const { hub, leases } = this.#options;
    const busy = portalIds.find((id) => leases.isHeldByCaller(id) || hub.reads(id));
    if (busy !== undefined) throw busyError([busy]);
  }
}

const busyError = (portalIds: readonly string[]): XrtcError =>
  new XrtcError("XRTC_PORTAL_BUSY", `This client reads ${portalIds.join(", ")} already.`, {
    ...(portalIds.length === 1 ? { portalId: portalIds[0] } : {}),
  });
