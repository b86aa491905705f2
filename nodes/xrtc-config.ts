import type { NodeAPI, NodeDef } from "node-red";
import { systemClock } from "../src/index.js";
import { serveAdmin } from "./lib/admin.js";
import { type ConfigNode, refusedConnection } from "./lib/config-node.js";
import { Connection } from "./lib/connection.js";
import type { SavedCredentials } from "./lib/credentials.js";
import { destinationOf } from "./lib/destination.js";
import { onClose } from "./lib/handlers.js";
import { readConfigSettings } from "./lib/settings/config.js";
import { sharedOf } from "./lib/shared.js";

/** Which service, with which account: for the nodes that name it. What is wrong with it is reported on those nodes. */
function init(RED: NodeAPI): void {
  const { clients } = sharedOf(RED);
  serveAdmin(RED);

  function XrtcConfig(this: ConfigNode, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    try {
      const settings = readConfigSettings(definition);
      const destination = destinationOf(RED, settings, this.credentials);
      const owner = settings.name || definition.id;
      this.settings = settings;
      this.connection = new Connection({ destination, clients, clock: systemClock, owner });
    } catch (thrown) {
      this.connection = refusedConnection(RED, thrown);
    }
    onClose(this, systemClock, () => this.connection.close());
  }

  RED.nodes.registerType<ConfigNode, NodeDef, object, SavedCredentials>("xrtc-config", XrtcConfig, {
    credentials: { accountId: { type: "text" }, apiKey: { type: "password" } },
  });
}

export = init;
