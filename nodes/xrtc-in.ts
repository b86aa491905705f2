import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { type ClientStatus, type SubscribeOptions, systemClock, XrtcError } from "../src/index.js";
import { connectionOf, refusedConnection } from "./lib/config-node.js";
import type { Connection } from "./lib/connection.js";
import { controlOf } from "./lib/control-in.js";
import { asXrtcError } from "./lib/errors.js";
import { gapText } from "./lib/gap-text.js";
import { onClose, onInput, type Send } from "./lib/handlers.js";
import type { News } from "./lib/held-news.js";
import { gapMessageOf, messageOf, rejectedMessageOf } from "./lib/message-in.js";
import { Reader } from "./lib/reader.js";
import { RefusalReporter } from "./lib/reporter.js";
import { type InSettings, readInSettings, startOf } from "./lib/settings/in.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

interface Prepared {
  readonly connection: Connection;
  readonly settings?: InSettings;
  /** Why there are no settings: nothing is read, and every message is told. */
  readonly problem?: XrtcError;
}

/** Sends a message for each item of its portals, for as long as it lives. */
function init(RED: NodeAPI): void {
  const { started } = sharedOf(RED);

  function prepare(definition: NodeDef): Prepared {
    try {
      const settings = readInSettings(definition);
      return { settings, connection: connectionOf(RED, settings.config) };
    } catch (thrown) {
      return { connection: refusedConnection(RED, thrown), problem: asXrtcError(thrown) };
    }
  }

  function XrtcIn(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const { connection, settings, problem } = prepare(definition);
    const badge = new Badge(this, {
      translate: RED._,
      clock: systemClock,
      queued: () => reader.held,
      passed: () => reader.passed,
      unverified: () => connection.isUnverified,
    });
    const reporter = new RefusalReporter(this, started);
    const reader = new Reader({
      connection,
      clock: systemClock,
      portals: settings?.portals ?? [],
      isDynamic: settings?.dynamic ?? false,
      cutoffMs: settings?.cutoff ?? -1,
      subscribe: (client, { portals, key, onGap }) =>
        client.subscribe({
          portals,
          ...wishOf(settings),
          // The name by which a subscription that was closed by a deploy is found again.
          name: key === "" ? this.id : `${this.id}/${key}`,
          onMalformed: (error) => this.error(error, whereOf(error)),
          onGap,
        }),
      onNews: (news) => deliver(this, news, settings),
      onCount: () => badge.count(),
      onStatus: (status: ClientStatus) => {
        badge.update(status);
        reporter.update(status);
      },
    });
    reader.start();

    onInput(this, async (message, send) => {
      if (problem !== undefined) throw problem;
      if (settings?.dynamic !== true) throw takesNone();
      act(message, { reader, badge, send });
    });

    onClose(this, systemClock, async (removed) => {
      reporter.close();
      badge.close();
      if (reader.held > 0 && !removed) {
        this.warn(RED._("xrtc-in.heldLost", { count: String(reader.held) }));
      }
      await reader.close({ forget: removed });
    });
  }

  /** Sends the news on. Whatever goes wrong with one must not end the reading. */
  function deliver(node: Node, news: News, settings: InSettings | undefined): void {
    const { output = "auto", malformed = "error", gaps = false } = settings ?? {};
    try {
      if (news.kind === "item") {
        node.send(messageOf(news.item, { output, malformed, serverNow: news.serverNow }));
      } else if (gaps) node.send([null, gapMessageOf(news.gap)]);
      else node.warn(gapText(news.gap, RED._));
    } catch (thrown) {
      node.error(asXrtcError(thrown), news.kind === "item" ? rejectedMessageOf(news.item) : {});
    }
  }

  RED.nodes.registerType("xrtc-in", XrtcIn);
}

/** How the portals are read, whichever they are. */
function wishOf(settings: InSettings | undefined): Omit<SubscribeOptions, "portals"> {
  if (settings === undefined) return {};
  const { mode, probeSeconds, schedule, cutoff } = settings;
  return { mode, probeMs: probeSeconds * 1_000, schedule, cutoff, start: startOf(settings) };
}

interface Controlled {
  readonly reader: Reader;
  readonly badge: Badge;
  readonly send: Send;
}

/** Does what a message says. */
function act(message: NodeMessage, { reader, badge, send }: Controlled): void {
  const control = controlOf({ ...message });
  switch (control.verb) {
    case "subscribe":
      return reader.add(control.portals);
    case "unsubscribe":
      return reader.remove(control.portals);
    case "pause":
      reader.pause();
      return badge.hold("paused");
    case "resume":
      badge.hold(undefined);
      return reader.resume();
    case "getSubscriptions":
      return send(Object.assign(message, { topic: "subscriptions", payload: reader.portals }));
    case "getStatus":
      return send(Object.assign(message, { payload: badge.report() }));
    default:
      return control satisfies never;
  }
}

const whereOf = ({ portalId }: XrtcError): NodeMessage =>
  portalId === undefined ? {} : Object.assign({ topic: portalId }, { portalid: portalId });

const takesNone = (): XrtcError =>
  new XrtcError(
    "XRTC_OPTIONS",
    "this node takes no messages: let them change its portals, in its settings, if it should",
  );

export = init;
