import type { Node, NodeAPI, NodeDef } from "node-red";
import { systemClock, type XrtcError } from "../src/index.js";
import { connectionOf, refusedConnection } from "./lib/config-node.js";
import type { Connection } from "./lib/connection.js";
import { asXrtcError } from "./lib/errors.js";
import { onClose, onInput } from "./lib/handlers.js";
import { isUnsent } from "./lib/handover.js";
import { itemsOf } from "./lib/message-out.js";
import { Outbox } from "./lib/outbox.js";
import { readOutSettings } from "./lib/settings/out.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

interface Connected {
  readonly connection: Connection;
  readonly portal: string;
  /** What is wrong with the settings, if anything is: every message is told. */
  readonly problem?: XrtcError;
}

/** Sets the payload of each message as an item of a portal; the message is done when the service has answered. */
function init(RED: NodeAPI): void {
  const { handover, started } = sharedOf(RED);

  function connect(definition: NodeDef): Connected {
    try {
      const { config, portal } = readOutSettings(definition);
      return { connection: connectionOf(RED, config), portal };
    } catch (thrown) {
      return {
        connection: refusedConnection(RED, thrown),
        portal: "",
        problem: asXrtcError(thrown),
      };
    }
  }

  function XrtcOut(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const { connection, portal, problem } = connect(definition);
    const badge = new Badge(this, { translate: RED._, clock: systemClock });
    const outbox = new Outbox(connection, systemClock);
    const unsubscribe = connection.status.subscribe((status) => badge.update(status));

    let isRemoved = false;
    let order = 0;

    onInput(this, async (message) => {
      const place = (order += 1);
      if (problem !== undefined) throw problem;
      try {
        message["servertimestamp"] = await outbox.send(itemsOf(message, portal));
      } catch (thrown) {
        if (isRemoved || !isUnsent(thrown)) throw thrown;
        // The node that a deploy brings in place of this one settles it, with its connection and its key.
        await handover.leave(this.id, message, place, thrown);
      }
    });
    // Only then the nodes are there that hear of errors.
    const unfollow = started.subscribe((isStarted) => {
      if (isStarted) for (const message of handover.take(this.id)) this.receive(message);
    });

    onClose(this, systemClock, async (removed) => {
      isRemoved = removed;
      unfollow();
      unsubscribe();
      badge.close();
      await outbox.close();
    });
  }

  RED.nodes.registerType("xrtc-out", XrtcOut);
}

export = init;
