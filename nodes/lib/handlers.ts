/** Wrappers that keep Node-RED's contract for inputs and closes, whatever a node's own code does. */

import type { Node, NodeMessage, NodeMessageInFlow } from "node-red";
import { asError, type Clock } from "../../src/index.js";

export type Send = (message: NodeMessage | (NodeMessage | NodeMessage[] | null)[]) => void;

/** Milliseconds after which a close is reported as done even if it is not; Node-RED itself gives up at 15,000. */
export const CLOSE_MS_MAX = 8_000;

/**
 * Calls `handle` for each input. A message is settled exactly once: as done when the promise resolves, with the error
 * when it rejects or when `handle` throws. Node-RED itself would not see a rejection.
 */
export function onInput(
  node: Node,
  handle: (message: NodeMessageInFlow, send: Send) => Promise<void>,
): void {
  node.on("input", (message, send, done) => {
    // The call sits inside an async function so that what it throws at once is a rejection, too.
    void (async () => handle(message, send))().then(
      () => done(),
      (thrown: unknown) => done(asError(thrown)),
    );
  });
}

/**
 * Calls `close` when the node closes and tells Node-RED when that is done, at the latest after {@link CLOSE_MS_MAX}.
 * Node-RED swallows what a close throws; here it is reported on the node.
 *
 * @param close - `removed` is true when the node was deleted, false when it is only started anew
 */
export function onClose(
  node: Node,
  clock: Clock,
  close: (removed: boolean) => Promise<void> | void,
): void {
  node.on("close", (removed: boolean, done: () => void) => {
    const cancel = clock.schedule(CLOSE_MS_MAX, () => {
      node.error(new Error(`closing took longer than ${CLOSE_MS_MAX / 1_000} s`));
      done();
    });
    void (async () => close(removed))()
      .catch((thrown: unknown) => node.error(asError(thrown)))
      .finally(() => {
        cancel();
        done();
      });
  });
}
