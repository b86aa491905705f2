import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from "node-red";
import { type Item, systemClock, type XrtcClient } from "../src/index.js";
import { connectionOf, refusedConnection } from "./lib/config-node.js";
import type { Connection } from "./lib/connection.js";
import { asXrtcError } from "./lib/errors.js";
import { gapText } from "./lib/gap-text.js";
import { freshCopy } from "./lib/fresh-copy.js";
import { answerOf } from "./lib/get-answer.js";
import { type PortalsOf, portalsReader } from "./lib/get-portals.js";
import { Getter } from "./lib/getter.js";
import { onClose, onInput, type Send } from "./lib/handlers.js";
import { isUnsent } from "./lib/handover.js";
import { type GetSettings, readGetSettings } from "./lib/settings/get.js";
import { sharedOf } from "./lib/shared.js";
import { Badge } from "./lib/status.js";

interface Prepared {
  readonly connection: Connection;
  /** Answers a message; every message is told when the settings cannot be read. */
  readonly answer: (question: Question) => Promise<void>;
}

interface Question {
  readonly message: NodeMessageInFlow;
  readonly send: Send;
  readonly client: XrtcClient;
  readonly signal: AbortSignal;
}

/** Asks for the items of portals, once for each message, and answers it with them. */
function init(RED: NodeAPI): void {
  const { handover, started } = sharedOf(RED);

  function prepare(node: Node, definition: NodeDef): Prepared {
    try {
      const settings = readGetSettings(definition);
      const portalsOf = portalsReader(settings, { RED, node, clock: systemClock });
      const answer = answering(RED, node, { settings, portalsOf });
      return { connection: connectionOf(RED, settings.config), answer };
    } catch (thrown) {
      const problem = asXrtcError(thrown);
      return { connection: refusedConnection(RED, problem), answer: () => Promise.reject(problem) };
    }
  }

  function XrtcGet(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const { connection, answer } = prepare(this, definition);
    const getter = new Getter(connection, () => badge.count());
    const badge = new Badge(this, {
      translate: RED._,
      clock: systemClock,
      queued: () => getter.count,
      unverified: () => connection.isUnverified,
    });
    const unsubscribe = connection.status.subscribe((status) => badge.update(status));

    let isRemoved = false;
    let order = 0;

    onInput(this, async (message, send) => {
      const arrival = { order: (order += 1), at: systemClock.now() };
      try {
        await getter.ask((client, signal) => answer({ message, send, client, signal }));
      } catch (thrown) {
        if (isRemoved || !isUnsent(thrown)) throw thrown;
        // The node that a deploy brings in place of this one asks in its turn.
        await handover.leave(this.id, message, arrival, thrown);
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
      // One that is only started anew goes on where it was.
      await getter.close(removed ? this.id : undefined);
    });
  }

  RED.nodes.registerType("xrtc-get", XrtcGet);
}

interface Knowledge {
  readonly settings: GetSettings;
  readonly portalsOf: PortalsOf;
}

function answering(
  RED: NodeAPI,
  node: Node,
  { settings, portalsOf }: Knowledge,
): Prepared["answer"] {
  const { mode, schedule, cutoff } = settings;
  const clone = (message: object): Record<string, unknown> =>
    freshCopy({ ...message }, (own) => RED.util.cloneMessage(own as NodeMessage));
  return async ({ message, send, client, signal }) => {
    const portals = await portalsOf(message);
    signal.throwIfAborted();
    const items = await collect(
      client.getItems({
        portals,
        mode: mode === "all" ? "probe" : mode,
        schedule,
        cutoff,
        // Its own place: what other nodes get or stream is not missing here, nor is what is got here missing there.
        name: node.id,
        signal,
        onMalformed: (error) => node.error(error, clone(message)),
        onGap: (gap) => node.warn(gapText(gap, RED._)),
      }),
    );
    const { clockOffsetMs } = client;
    const { messages, rejected } = answerOf(items, {
      message: { ...message },
      settings,
      clone,
      partsId: RED.util.generateId(),
      serverNow: clockOffsetMs === undefined ? undefined : systemClock.wallNow() + clockOffsetMs,
    });
    for (const each of rejected) node.error(each.error, each.message);
    for (const each of messages) send(each);
  };
}

async function collect(got: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of got) items.push(item);
  return items;
}

export = init;
