import { isXrtcError } from "../../errors.js";
import { type Clock, sleep } from "../../primitives/clock.js";
import type { Logger } from "../log.js";
import type { XrtcServer } from "../server.js";

/** Milliseconds between two attempts to reach the engine, doubled from one to the next. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;

export interface ListenOptions {
  /** A new server for each attempt. */
  readonly make: () => XrtcServer;
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears why nobody is served yet. */
  readonly waiting: (why: string) => void;
}

/**
 * Listens as soon as the engine can be reached, however long that takes: after a start of the whole machine Redis may
 * come later than this process, and a service that gave up would have to be started by hand.
 *
 * @returns the base URL, or undefined when the command was told to stop before
 * @throws XrtcError for whatever waiting does not mend
 */
export async function listenAtLast(options: ListenOptions): Promise<string | undefined> {
  const { make, stop, clock, logger, waiting } = options;
  for (let waitMs = RETRY_MS_MIN; !stop.aborted; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
    const server = make();
    try {
      return await server.listen();
    } catch (error) {
      if (!isXrtcError(error, "XRTC_ENGINE_UNAVAILABLE") || !error.retryable) throw error;
      await server.close();
      waiting(error.message);
      logger.write("warn", "engine-unavailable", error.message, { retryInMs: waitMs });
      // What ends the wait early is the stop, and the loop looks for it.
      await sleep(clock, waitMs, stop).catch(() => undefined);
    }
  }
  return undefined;
}
