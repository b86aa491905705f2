/** One request for a batch: bounded in time, and with what is known of it afterwards. */

import { XrtcError } from "../errors.js";
import type { Clock } from "../primitives/clock.js";
import { Deadline } from "../primitives/deadline.js";
import type { Signal } from "../primitives/signal.js";
import type { ItemSink, SinkAnswer, SinkCall } from "./item-sink.js";
import { momentOf, type Moment } from "./key-age.js";
import type { QueuedWrite } from "./queued-write.js";
import { asFailure } from "./retry.js";

/** What an attempt needs to know. */
export interface AttemptOptions extends Pick<SinkCall, "idempotencyKey" | "place" | "isFirst"> {
  readonly sink: ItemSink;
  readonly clock: Clock;
  readonly signal: Signal;
  /** Until when it may last (monotonic ms). */
  readonly endsAt: number;
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly result: SinkAnswer | XrtcError;
  /** When the request went out first, if it did. */
  readonly sentAt: Moment | undefined;
}

/** Sends the writes once, or under a renewed login once more. It never throws. */
export async function attempt(
  writes: readonly QueuedWrite[],
  { sink, clock, signal, endsAt, idempotencyKey, place, isFirst }: AttemptOptions,
): Promise<AttemptEnd> {
  const deadline = new Deadline(clock, signal);
  let sentAt: Moment | undefined;
  let isBounded = false;
  try {
    const encodedItems: string[] = [];
    for (const write of writes) {
      for (const item of write.encodedItems) encodedItems.push(item);
    }
    const answer = sink.set(encodedItems, {
      signal: deadline.signal,
      idempotencyKey,
      place,
      isFirst,
      sent: () => {
        sentAt ??= momentOf(clock);
      },
      within: (ms, reason) => {
        isBounded = true;
        const left = endsAt - clock.now();
        if (ms < left) deadline.set(ms, reason);
        else deadline.set(left, expired);
      },
    });
    // A set goes out in that very call, as a rule; one that has to wait first may do so as long as it lives.
    if (!isBounded) deadline.set(endsAt - clock.now(), expired);
    return { result: await answer, sentAt };
  } catch (thrown) {
    return { result: asFailure(thrown, sentAt !== undefined), sentAt };
  } finally {
    deadline.dispose();
  }
}

/** That there was no time left. */
export const expired = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", "The set was not confirmed within its time to live.");
