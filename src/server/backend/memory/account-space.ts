import type { Limits } from "../../../protocol/limits.js";
import { invalidArguments } from "../../wire-error.js";
import { NO_TRACE, Portal, type PortalTrace, type StorageLedger } from "./portal.js";
import { Readers } from "../../engine/readers.js";

/**
 * Traces of portals that are gone, kept so that a portal which comes again goes on counting where it was: readers take
 * a sequence number that they have seen for a repeat. When there are more, new portals start above all forgotten ones.
 */
const TRACES_PER_PORTAL_MAX = 10;

/** Everything that the memory engine holds of one account. */
export class AccountSpace {
  readonly readers = new Readers();
  readonly portals = new Map<string, Portal>();
  readonly #traces = new Map<string, PortalTrace>();
  readonly #limits: Limits;
  readonly #ledger: StorageLedger;
  #forgotten: PortalTrace = NO_TRACE;
  #order = 0;

  constructor(limits: Limits, ledger: StorageLedger) {
    this.#limits = limits;
    this.#ledger = ledger;
  }

  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  /** How the portal's counting goes on, whether it exists or not. */
  traceOf(portalId: string): PortalTrace {
    return this.portals.get(portalId)?.trace ?? this.#traces.get(portalId) ?? this.#forgotten;
  }

  /** UNIX ms of the latest item that the portal ever had; 0 when it had none. */
  newestTimestampOf(portalId: string): number {
    return (this.portals.get(portalId) ?? this.traceOf(portalId)).newestTimestamp;
  }

  /**
   * Finds out whether the account may have these portals.
   *
   * @throws WireError when they would be more than the limit
   */
  checkRoom(portalIds: readonly string[], nowMs: number): void {
    const { portalsMax } = this.#limits;
    const isTooMany = (): boolean => {
      let count = this.portals.size;
      for (const portalId of portalIds) if (!this.portals.has(portalId)) count += 1;
      return count > portalsMax;
    };
    if (!isTooMany()) return;
    this.expire(nowMs);
    if (!isTooMany()) return;
    throw invalidArguments(`an account has at most ${portalsMax} portals`);
  }

  portal(portalId: string): Portal {
    const known = this.portals.get(portalId);
    if (known !== undefined) return known;
    const { ringItemsMax, itemAgeMsMax } = this.#limits;
    const portal = new Portal(portalId, {
      itemsMax: ringItemsMax,
      ageMsMax: itemAgeMsMax,
      ledger: this.#ledger,
      trace: this.traceOf(portalId),
    });
    this.#traces.delete(portalId);
    this.portals.set(portalId, portal);
    return portal;
  }

  /** Lets go of items that are too old, and of portals without any. A portal is as ephemeral as its content. */
  expire(nowMs: number): void {
    for (const portal of this.portals.values()) {
      portal.expire(nowMs);
      if (portal.length > 0) continue;
      this.portals.delete(portal.portalId);
      this.#traces.set(portal.portalId, portal.trace);
    }
    for (const [portalId, trace] of this.#traces) {
      if (this.#traces.size <= this.#limits.portalsMax * TRACES_PER_PORTAL_MAX) break;
      this.#traces.delete(portalId);
      this.#forgotten = {
        newestSequence: Math.max(this.#forgotten.newestSequence, trace.newestSequence),
        newestTimestamp: Math.max(this.#forgotten.newestTimestamp, trace.newestTimestamp),
      };
    }
  }
}
