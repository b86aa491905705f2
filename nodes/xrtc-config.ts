import type { NodeAPI, NodeDef } from "node-red";
import { systemClock } from "../src/index.js";
import type { ConfigNode } from "./lib/config-node.js";
import { refusedConnection } from "./lib/config-node.js";
import type { Destination } from "./lib/connection.js";
import { Connection } from "./lib/connection.js";
import type { SavedCredentials } from "./lib/credentials.js";
import { credentialsOf } from "./lib/credentials.js";
import { onClose } from "./lib/handlers.js";
import type { ConfigSettings } from "./lib/settings/config.js";
import { readConfigSettings } from "./lib/settings/config.js";
import { isDeployed, sharedOf } from "./lib/shared.js";
import { limitsOf, urlsBelow, urlsOf } from "./lib/target.js";

/** Which service, with which account: for the nodes that name it. What is wrong with it is reported on those nodes. */
function init(RED: NodeAPI): void {
  const { clients, servers } = sharedOf(RED);

  function destinationOf(
    settings: ConfigSettings,
    saved: SavedCredentials | undefined,
  ): Destination {
    const { server, allowInsecure } = settings;
    if (settings.service !== "local") {
      const target = () => ({
        ...urlsOf(settings),
        ...credentialsOf(saved, process.env),
        limits: limitsOf(settings),
        allowInsecure,
      });
      return { kind: "fixed", target };
    }
    return {
      kind: "server",
      watch: (listener) => servers.watch(server, listener),
      isDeployed: () => isDeployed(RED, server, "xrtc-server"),
      target: ({ url, limits, credentials }) => ({
        ...urlsBelow(url),
        ...credentials,
        limits: limitsOf(settings, limits),
        allowInsecure,
      }),
    };
  }

  function connect(definition: NodeDef, saved: SavedCredentials | undefined): Connection {
    try {
      const settings = readConfigSettings(definition);
      const destination = destinationOf(settings, saved);
      const owner = settings.name || definition.id;
      return new Connection({ destination, clients, clock: systemClock, owner });
    } catch (thrown) {
      return refusedConnection(RED, thrown);
    }
  }

  function XrtcConfig(this: ConfigNode, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    this.connection = connect(definition, this.credentials);
    onClose(this, systemClock, () => this.connection.close());
  }

  RED.nodes.registerType<ConfigNode, NodeDef, object, SavedCredentials>("xrtc-config", XrtcConfig, {
    credentials: { accountId: { type: "text" }, apiKey: { type: "password" } },
  });
}

export = init;
