import { hostname } from "node:os";
import type { Node, NodeAPI, NodeDef } from "node-red";
import { systemClock } from "../src/index.js";
import { asXrtcError } from "./lib/errors.js";
import { onClose } from "./lib/handlers.js";
import { serverLookOf } from "./lib/look.js";
import { httpRootOf, mountOn } from "./lib/mount.js";
import { serverTlsOf } from "./lib/network.js";
import { RefusalReporter } from "./lib/reporter.js";
import { ServerActivity } from "./lib/server-activity.js";
import { planOf, type SavedServerCredentials } from "./lib/server-plan.js";
import type { ServerWish } from "./lib/server-registry.js";
import { readServerSettings } from "./lib/settings/server.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

/** A local XRTC server inside Node-RED; a redeploy that changes nothing about it does not interrupt it. */
function init(RED: NodeAPI): void {
  const { servers, started } = sharedOf(RED);
  const mount = mountOn(RED);
  const tlsOf = (id: string) => serverTlsOf(RED.nodes.getNode(id));

  function wishOf(definition: NodeDef, saved: SavedServerCredentials | undefined): ServerWish {
    const sources = { saved, tlsOf, httpRoot: httpRootOf(RED), hostName: hostname() };
    return { plan: planOf(readServerSettings(definition), sources), saved, mount };
  }

  function XrtcServerNode(this: Node<SavedServerCredentials>, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const badge = new Badge(this, { translate: RED._, clock: systemClock });
    const reporter = new RefusalReporter(this, started);
    let release: (() => void) | undefined;
    let activity: ServerActivity | undefined;
    try {
      ({ release } = servers.acquire(this.id, wishOf(definition, this.credentials)));
    } catch (thrown) {
      servers.report(this.id, asXrtcError(thrown));
    }
    const unwatch = servers.watch(this.id, (state) => {
      activity?.close();
      activity = undefined;
      badge.set(serverLookOf(state));
      if (state.kind === "failed") reporter.report(state.cause);
      if (state.kind !== "listening") return;
      reporter.recovered();
      const onLook = (load: Parameters<typeof serverLookOf>[1]): void =>
        badge.set(serverLookOf(state, load));
      activity = new ServerActivity(state, { clock: systemClock, onLook });
    });

    onClose(this, systemClock, async (removed) => {
      reporter.close();
      activity?.close();
      badge.close();
      unwatch();
      if (release === undefined) return servers.report(this.id, undefined);
      release();
      if (!removed) return;
      servers.endHeld(this.id);
      await servers.settled();
    });
  }

  RED.nodes.registerType<Node<SavedServerCredentials>, NodeDef, object, SavedServerCredentials>(
    "xrtc-server",
    XrtcServerNode,
    {
      credentials: {
        accountId: { type: "text" },
        apiKey: { type: "password" },
        redisPassword: { type: "password" },
      },
    },
  );
}

export = init;
