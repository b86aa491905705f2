import type { Node, NodeAPI } from "node-red";
import { systemClock, XrtcError } from "../../src/index.js";
import { Connection } from "./connection.js";
import type { SavedCredentials } from "./credentials.js";
import type { ConfigSettings } from "./settings/config.js";
import { sharedOf } from "./shared.js";

/** An xrtc-config node as the other nodes see it. */
export interface ConfigNode extends Node<SavedCredentials> {
  connection: Connection;
  /** Undefined when they cannot be read. */
  settings?: ConfigSettings;
}

/** Whether a node is an xrtc-config. */
export const isConfigNode = (node: Node | null | undefined): node is ConfigNode =>
  (node as ConfigNode | null | undefined)?.connection instanceof Connection;

/** The connection of a config node; one that says what is wrong when there is no such node. */
export function connectionOf(RED: NodeAPI, configId: string): Connection {
  const node = configId === "" ? undefined : RED.nodes.getNode(configId);
  if (isConfigNode(node)) return node.connection;
  const reason =
    configId === ""
      ? "no xrtc-config node is chosen"
      : "the xrtc-config node that is chosen is not deployed, or is disabled";
  return refusedConnection(RED, new XrtcError("XRTC_OPTIONS", reason));
}

/** A connection that leads nowhere, for a reason. */
export function refusedConnection(RED: NodeAPI, cause: unknown): Connection {
  return new Connection({
    clients: sharedOf(RED).clients,
    clock: systemClock,
    owner: "",
    destination: {
      kind: "fixed",
      target: () => {
        throw cause;
      },
    },
  });
}
