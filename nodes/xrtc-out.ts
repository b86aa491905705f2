import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from "node-red";
import { systemClock } from "../src/index.js";
import { connectionOf, refusedConnection } from "./lib/config-node.js";
import type { Connection } from "./lib/connection.js";
import { asXrtcError } from "./lib/errors.js";
import { onClose, onInput, type Send } from "./lib/handlers.js";
import { isUnsent } from "./lib/handover.js";
import { noteResult } from "./lib/message-out.js";
import { OutControl, type Verb, verbOf } from "./lib/out-control.js";
import { type Reading, readingOf } from "./lib/out-reading.js";
import { DEFAULT_POLICY, policyOf } from "./lib/out-policy.js";
import { Outbox } from "./lib/outbox.js";
import { type OutSettings, readOutSettings } from "./lib/settings/out.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

interface Prepared {
  readonly connection: Connection;
  readonly settings?: OutSettings;
  readonly read: Reading;
}

/** Sets the payload of each message as an item of a portal; the message is done when the service has answered. */
function init(RED: NodeAPI): void {
  const { handover, started } = sharedOf(RED);

  function prepare(node: Node, definition: NodeDef): Prepared {
    try {
      const settings = readOutSettings(definition);
      return {
        connection: connectionOf(RED, settings.config),
        settings,
        read: readingOf(settings, { RED, node, clock: systemClock }),
      };
    } catch (thrown) {
      const problem = asXrtcError(thrown);
      const refuse = (): never => {
        throw problem;
      };
      // Every message is told.
      return { connection: refusedConnection(RED, problem), read: refuse };
    }
  }

  function XrtcOut(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const { connection, settings, read } = prepare(this, definition);
    const outbox = new Outbox({
      connection,
      clock: systemClock,
      policy: settings === undefined ? DEFAULT_POLICY : policyOf(settings),
      owner: this.id,
      onCount: () => badge.count(),
    });
    const badge = new Badge(this, {
      translate: RED._,
      clock: systemClock,
      queued: () => outbox.count,
      passed: () => outbox.setCount,
      unverified: () => connection.isUnverified,
    });
    const unsubscribe = connection.status.subscribe((status) => badge.update(status));
    const obey = obedience(this, new OutControl({ outbox, badge }), settings?.acknowledge === true);

    let isRemoved = false;
    let order = 0;

    onInput(this, async (message, send) => {
      const verb = verbOf(message);
      if (verb !== undefined) return obey(verb, message, send);
      const at = handover.arrivedAt(message) ?? systemClock.now();
      const arrival = { order: (order += 1), at };
      try {
        noteResult(message, await outbox.submit(() => read(message), at));
      } catch (thrown) {
        if (isRemoved || !isUnsent(thrown)) throw thrown;
        // The node that a deploy brings in place of this one settles it, with its connection and its key.
        await handover.leave(this.id, message, arrival, thrown);
      }
      if (settings?.acknowledge === true) send(message);
    });
    // Only then the nodes are there that hear of errors.
    const unfollow = started.subscribe((isStarted) => {
      if (isStarted) for (const message of handover.take(this.id)) this.receive(message);
    });

    onClose(this, systemClock, async (removed) => {
      isRemoved = removed;
      unfollow();
      badge.close();
      await outbox.close();
      // The last user takes the client along: only when nothing is under way.
      unsubscribe();
    });
  }

  /** Does what messages say, and answers where there is an output for it. */
  function obedience(node: Node, control: OutControl, hasOutput: boolean) {
    let isTold = false;
    return async (verb: Verb, message: NodeMessageInFlow, send: Send): Promise<void> => {
      const answer = await control.obey(verb);
      if (answer === undefined) return;
      if (hasOutput) return send(Object.assign(message, { payload: answer }));
      if (!isTold) node.warn(RED._("xrtc-out.noOutput"));
      isTold = true;
    };
  }

  RED.nodes.registerType("xrtc-out", XrtcOut);
}

export = init;
