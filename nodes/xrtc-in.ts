import type { Node, NodeAPI, NodeDef } from "node-red";
import { type Gap, systemClock } from "../src/index.js";
import { connectionOf, refusedConnection } from "./lib/config-node.js";
import type { Connection } from "./lib/connection.js";
import { asXrtcError } from "./lib/errors.js";
import { onClose } from "./lib/handlers.js";
import { messageOf } from "./lib/message-in.js";
import { Reader } from "./lib/reader.js";
import { RefusalReporter } from "./lib/reporter.js";
import type { InSettings } from "./lib/settings/in.js";
import { readInSettings } from "./lib/settings/in.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

/** Sends a message for each item of its portals, for as long as it lives. */
function init(RED: NodeAPI): void {
  const { started } = sharedOf(RED);

  function XrtcIn(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const badge = new Badge(this, { translate: RED._, clock: systemClock });
    const reporter = new RefusalReporter(this, started);
    const reader = readerOf(this, definition, (status) => {
      badge.update(status);
      reporter.update(status);
    });
    reader.start();

    onClose(this, systemClock, async (removed) => {
      reporter.close();
      badge.close();
      await reader.close({ forget: removed });
    });
  }

  function readerOf(
    node: Node,
    definition: NodeDef,
    onStatus: ConstructorParameters<typeof Reader>[0]["onStatus"],
  ): Reader {
    let settings: InSettings;
    let connection: Connection;
    try {
      settings = readInSettings(definition);
      connection = connectionOf(RED, settings.config);
    } catch (thrown) {
      connection = refusedConnection(RED, thrown);
    }
    return new Reader({
      connection,
      onStatus,
      subscribe: (client) =>
        client.subscribe({
          ...subscriptionOf(settings),
          // The name by which a subscription that was closed by a deploy is found again.
          name: node.id,
          onMalformed: (error) => node.error(error, {}),
          onGap: (gap) => node.warn(gapText(gap)),
        }),
      onItem: (item) => {
        try {
          node.send(messageOf(item, { output: settings.output }));
        } catch (thrown) {
          // One item that cannot be sent on must not end the reading.
          node.error(asXrtcError(thrown), { topic: item.portalId, portalid: item.portalId });
        }
      },
    });
  }

  const gapText = ({ portalId, reason, missing }: Gap): string =>
    RED._(missing === undefined ? "xrtc-in.gap.some" : "xrtc-in.gap.counted", {
      portalid: portalId,
      missing: String(missing),
      reason: RED._(`xrtc-in.gap.${reason}`),
    });

  RED.nodes.registerType("xrtc-in", XrtcIn);
}

const subscriptionOf = ({ portals, mode, schedule, cutoff, start }: InSettings) => ({
  portals,
  mode,
  schedule,
  cutoff,
  start,
});

export = init;
