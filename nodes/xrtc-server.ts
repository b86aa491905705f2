import type { Node, NodeAPI, NodeDef } from "node-red";
import { systemClock } from "../src/index.js";
import type { SavedCredentials } from "./lib/credentials.js";
import { asXrtcError } from "./lib/errors.js";
import { onClose } from "./lib/handlers.js";
import { serverLookOf } from "./lib/look.js";
import { RefusalReporter } from "./lib/reporter.js";
import { readServerSettings } from "./lib/settings/server.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

/** A local XRTC server inside Node-RED; a redeploy that changes nothing about it does not interrupt it. */
function init(RED: NodeAPI): void {
  const { servers, started } = sharedOf(RED);

  function XrtcServerNode(this: Node<SavedCredentials>, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const badge = new Badge(this, { translate: RED._, clock: systemClock });
    const reporter = new RefusalReporter(this, started);
    let release: (() => void) | undefined;
    try {
      const lease = servers.acquire(this.id, readServerSettings(definition), this.credentials);
      release = lease.release;
    } catch (thrown) {
      servers.report(this.id, asXrtcError(thrown));
    }
    const unwatch = servers.watch(this.id, (state) => {
      badge.set(serverLookOf(state));
      if (state.kind === "listening") reporter.recovered();
      if (state.kind === "failed") reporter.report(state.cause);
    });

    onClose(this, systemClock, async (removed) => {
      reporter.close();
      badge.close();
      unwatch();
      if (release === undefined) return servers.report(this.id, undefined);
      release();
      if (!removed) return;
      servers.endHeld(this.id);
      await servers.settled();
    });
  }

  RED.nodes.registerType<Node<SavedCredentials>, NodeDef, object, SavedCredentials>(
    "xrtc-server",
    XrtcServerNode,
    { credentials: { accountId: { type: "text" }, apiKey: { type: "password" } } },
  );
}

export = init;
