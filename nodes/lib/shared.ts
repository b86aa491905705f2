import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { NodeAPI } from "node-red";
import { asError, Broadcast, type Clock, systemClock } from "../../src/index.js";
import { ClientRegistry } from "./client-registry.js";
import { Handover } from "./handover.js";
import { ServerRegistry } from "./server-registry.js";

/** What all nodes of the process have in common; it outlives every deploy. */
export interface Shared {
  readonly clients: ClientRegistry;
  readonly servers: ServerRegistry;
  readonly handover: Handover;
  /** Whether every node of the deployed flows has been created: before, Catch nodes hear nothing. */
  readonly started: Broadcast<boolean>;
}

/** Timers that do not keep a process alive: what is held only waits for somebody who may not come. */
export const patientClock: Clock = {
  ...systemClock,
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

const CATALOGUE = "@xrtc-community/node-red-xrtc/xrtc-config";

let shared: Shared | undefined;
const watched = new WeakSet<object>();

/** The registries of this process. They are told when the flows of this runtime have started and stopped. */
export function sharedOf(RED: NodeAPI): Shared {
  const known = (shared ??= createShared(RED));
  if (!watched.has(RED.events)) {
    watched.add(RED.events);
    RED.events.on("flows:starting", () => known.started.set(false));
    RED.events.on("flows:started", () => {
      // Every node that a deploy brings back is back by now: a server that nobody claimed is one that nobody wants.
      known.servers.endHeld();
      known.started.set(true);
      known.handover.giveUp();
    });
    RED.events.on("runtime-event", (event: unknown) => {
      if (!isStop(event)) return;
      known.handover.giveUp();
      known.servers.endHeld();
      // Flows that the user stops may be started again at once, which need not cost a login; a runtime is gone for good.
      if (!isStoppedByUser(RED)) known.clients.endHeld();
    });
  }
  return known;
}

function createShared(RED: NodeAPI): Shared {
  const onError = (thrown: unknown): void => RED.log.error(asError(thrown).message);
  const { userDir } = RED.settings as { readonly userDir?: unknown };
  return {
    clients: new ClientRegistry({
      clock: patientClock,
      onError,
      onUsage: ({ used, max, month, level }) =>
        RED.log.warn(
          RED._(`${CATALOGUE}:usage.${level}`, { used: String(used), max: String(max), month }),
        ),
      onUnverified: (owner) => RED.log.warn(RED._(`${CATALOGUE}:unverified`, { name: owner })),
      counterFolder: typeof userDir === "string" ? join(userDir, "xrtc") : undefined,
    }),
    servers: new ServerRegistry({
      clock: patientClock,
      randomBytes,
      onError,
      // Somebody who registers with a server in here reads the code in this log: it sends no mail.
      log: ({ level, message }) => RED.log[level](`xrtc-server: ${message}`),
    }),
    handover: new Handover(patientClock),
    started: new Broadcast(false),
  };
}

/** Whether the flows were stopped for good, and not to be started again as those of a deploy are. */
function isStop(event: unknown): boolean {
  const { id, payload } = (event ?? {}) as {
    id?: unknown;
    payload?: { state?: unknown; deploy?: unknown };
  };
  return id === "runtime-state" && payload?.state === "stop" && payload.deploy !== true;
}

/** Whether it was the user who stopped the flows, and not the end of the runtime. */
function isStoppedByUser({ settings }: NodeAPI): boolean {
  const { available, get } = settings as Partial<StoredSettings>;
  return available?.() === true && get?.("runtimeFlowState") === "stop";
}

/** What the published types of Node-RED's settings leave out. */
interface StoredSettings {
  readonly available: () => boolean;
  readonly get: (key: string) => unknown;
}

/** Whether the flows that are deployed hold a node of this id and type, enabled, on an enabled tab. */
export function isDeployed(RED: NodeAPI, id: string, type: string): boolean {
  const tabs = new Set<string>();
  let tab: string | undefined;
  RED.nodes.eachNode((definition) => {
    const node = definition as typeof definition & { d?: boolean; disabled?: boolean };
    if (node.type === "tab" && node.disabled !== true) tabs.add(node.id);
    if (node.id === id && node.type === type && node.d !== true) tab = node.z;
  });
  return tab !== undefined && tabs.has(tab);
}
