import type { TimeoutQueue } from "../../../primitives/timeout-queue.js";
import type { Bounds } from "../../bounds.js";
import { systemError, type WireError } from "../../wire-error.js";
import { SetOrder } from "./set-order.js";

type ProducerBounds = Pick<Bounds, "producersPerSessionMax" | "earlySetsPerSessionMax">;

/** The orders of one session's producers: only so many, with only so many sets that wait. */
export class Producers {
  readonly #bounds: ProducerBounds;
  readonly #earlySets: TimeoutQueue;
  /** The one used last stands last. */
  readonly #orders = new Map<string, SetOrder>();

  constructor(bounds: ProducerBounds, earlySets: TimeoutQueue) {
    this.#bounds = bounds;
    this.#earlySets = earlySets;
  }

  /** The order that a set has its place in, or why there is no room for the set to wait. */
  placesFor(place: { readonly producer: string; readonly number: number }): SetOrder | WireError {
    const { producer, number } = place;
    const known = this.#orders.get(producer);
    if (known === undefined && !this.#makeRoom()) return tooManyProducers(this.#orders.size);
    const order = known ?? new SetOrder(this.#earlySets);
    this.#orders.delete(producer);
    this.#orders.set(producer, order);
    return order.isEarly(number) && this.#isImpatient() ? tooManyEarly() : order;
  }

  /** Turns all away that wait. */
  close(): void {
    for (const order of this.#orders.values()) order.close();
  }

  /** A client takes a new producer whenever a number will never be used: the one that rested longest is forgotten. */
  #makeRoom(): boolean {
    if (this.#orders.size < this.#bounds.producersPerSessionMax) return true;
    for (const [producer, order] of this.#orders) {
      if (order.isIdle) return this.#orders.delete(producer);
    }
    return false;
  }

  /** Sets that wait hold their bodies: only so many may. */
  #isImpatient(): boolean {
    let waiting = 0;
    for (const order of this.#orders.values()) waiting += order.waitingCount;
    return waiting >= this.#bounds.earlySetsPerSessionMax;
  }
}

const tooManyProducers = (count: number): WireError =>
  systemError(400, `sets of ${count} producers of this session wait for the ones before them`);

const tooManyEarly = (): WireError =>
  systemError(400, "too many sets of this session wait for the ones before them");
