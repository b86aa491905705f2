/** A real Node-RED runtime for tests, with the nodes of this package loaded from their sources. */

import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeStatus } from "node-red";
import helper from "node-red-node-test-helper";
import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { sharedOf } from "../../nodes/lib/shared.js";
import initConfig from "../../nodes/xrtc-config.js";
import initGet from "../../nodes/xrtc-get.js";
import initIn from "../../nodes/xrtc-in.js";
import initOut from "../../nodes/xrtc-out.js";
import initServer from "../../nodes/xrtc-server.js";

/** The Node-RED under test. */
const NODE_RED = process.env["NODE_RED_PKG"] ?? "node-red";

/** What reached each sink, by its id; it outlives the node, so that nothing is missed around a deploy. */
const received = new Map<string, Received>();

interface Received {
  readonly messages: Message[];
  check: () => void;
}

/** A node type that keeps what it gets; one with a property `fails` throws then. */
function initSink(RED: NodeAPI): void {
  RED.nodes.registerType("sink", function Sink(this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on("input", (message) => {
      // In an instance of a subflow its own id is made up; the alias is the one that the flow gives it.
      const { messages, check } = receivedBy((this as { _alias?: string })._alias ?? this.id);
      messages.push(message);
      check();
      if ("fails" in definition) throw new Error("the sink fails, as it was told to");
    });
  });
}

/** A node type that fails at every message, in the middle of its handler. */
function initThrower(RED: NodeAPI): void {
  RED.nodes.registerType("thrower", function Thrower(this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on("input", () => {
      throw new Error("thrown by the next node");
    });
  });
}

function receivedBy(id: string): Received {
  const known = received.get(id) ?? { messages: [], check: () => undefined };
  received.set(id, known);
  return known;
}

const nodeSets = [
  initConfig,
  initOut,
  initIn,
  initGet,
  initServer,
  initSink,
  initThrower,
] as unknown as NodeInitializer[];

/** Node types of Node-RED itself, from the line under test. */
export function coreNodes(...files: readonly string[]): NodeInitializer[] {
  const requireThere = createRequire(require.resolve(NODE_RED));
  return files.map((file) => requireThere(`@node-red/nodes/core/${file}`) as NodeInitializer);
}

export type Flow = { id: string; type: string; [property: string]: unknown }[];
export type FlowCredentials = Record<string, Record<string, string>>;
export type Message = Record<string, unknown>;

/** What the published types of the helper leave out. */
interface Internals {
  readonly _events: EventEmitter;
  readonly _RED: {
    readonly hooks: {
      add(name: string, handler: (event: SettledEvent) => void): void;
      remove(name: string): void;
    };
  };
  readonly _redNodes: {
    setFlows(flow: Flow, credentials: FlowCredentials | null, type: string): Promise<unknown>;
  };
}
const internals = helper as unknown as Internals;

let initialised = false;

/** Starts a flow. Whatever `stop` returned to how it was before. */
export async function start(
  flow: Flow,
  credentials: FlowCredentials = {},
  moreNodes: readonly NodeInitializer[] = [],
): Promise<void> {
  if (!initialised) helper.init(require.resolve(NODE_RED));
  initialised = true;
  const core = coreNodes("network/05-tls.js", "network/06-httpproxy.js");
  await helper.load([...nodeSets, ...core, ...moreNodes], flow, credentials);
}

/** Deploys, and resolves when the flows have started again. Credentials that are not given stay as they are. */
export async function deploy(flow: Flow, type: "full" | "flows" | "nodes" = "full"): Promise<void> {
  const started = new Promise<void>((resolve) => {
    internals._events.once("flows:started", () => resolve());
  });
  await internals._redNodes.setFlows(flow, null, type);
  await started;
}

/** Stops the flows and ends what outlives them. */
export async function stop(): Promise<void> {
  await helper.unload();
  await settled();
  received.clear();
}

/** The registries of the process. */
export const shared = (): ReturnType<typeof sharedOf> =>
  sharedOf({ events: internals._events, log: { error: fail } } as unknown as NodeAPI);

const fail = (message: unknown): void => {
  throw new Error(String(message));
};

/** Resolves when every client and server that was ended has come to its end. */
export async function settled(): Promise<void> {
  await shared().clients.settled();
  await shared().servers.settled();
}

export const events = (): EventEmitter => internals._events;

export const node = (id: string): Node => helper.getNode(id);

/** Resolves with the next messages of a sink, as soon as there are so many. */
export function taken(id: string, count: number): Promise<Message[]> {
  const entry = receivedBy(id);
  return new Promise((resolve) => {
    entry.check = () => {
      if (entry.messages.length < count) return;
      // What comes later belongs to whoever asks next.
      entry.check = () => undefined;
      resolve(entry.messages.splice(0, count));
    };
    entry.check();
  });
}

/** How many messages of a sink nobody has taken yet. */
export const untaken = (id: string): number => receivedBy(id).messages.length;

interface SpiedCall {
  readonly thisValue: unknown;
  readonly args: readonly unknown[];
}

interface SettledEvent {
  readonly msg: Message;
  readonly error?: unknown;
  readonly node: { readonly id: string };
}

/** A message that a node has settled, with the error if it was refused. */
export interface Settled {
  readonly id: string;
  readonly payload: unknown;
  readonly error?: unknown;
}

/** Every message that nodes settle from now on, whoever is there to hear of it: during a deploy no Catch node is. */
export class Settlements implements Disposable {
  readonly all: Settled[] = [];
  #check: () => void = () => undefined;

  constructor() {
    internals._RED.hooks.add("onComplete.test", ({ msg, error, node: { id } }) => {
      this.all.push({ id, payload: msg["payload"], error });
      this.#check();
    });
  }

  /** Resolves with all of them as soon as there are so many. */
  reached(count: number): Promise<readonly Settled[]> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (this.all.length >= count) resolve(this.all);
      };
      this.#check();
    });
  }

  [Symbol.dispose](): void {
    internals._RED.hooks.remove("*.test");
  }
}

/** Every badge that a node has had, oldest first. */
export const badges = (id: string): NodeStatus[] =>
  callsOf(id, "status").map(({ args }) => args[0] as NodeStatus);

/** Every error that a node has reported, oldest first. */
export const errors = (id: string): unknown[] => callsOf(id, "error").map(({ args }) => args[0]);

/** Every warning that a node has given, oldest first. */
export const warnings = (id: string): unknown[] => callsOf(id, "warn").map(({ args }) => args[0]);

interface LogRecord {
  readonly level: number;
  readonly msg: unknown;
}
const LEVELS = { error: 20, warn: 30, info: 40 } as const;

/** Everything that was logged at a level since the flow was started, oldest first. */
export const logged = (level: keyof typeof LEVELS): string[] =>
  (helper.log() as unknown as { readonly args: readonly (readonly LogRecord[])[] }).args
    .flat()
    .filter((record) => record.level === LEVELS[level])
    .map(({ msg }) => String(msg));

function callsOf(id: string, method: "status" | "error" | "warn"): SpiedCall[] {
  const target = node(id);
  const spy = target[method] as unknown as { getCalls(): SpiedCall[] };
  return spy.getCalls().filter(({ thisValue }) => thisValue === target);
}

/** Resolves with a node's badge as soon as it looks like this. */
export function badge(id: string, look: Partial<NodeStatus>): Promise<NodeStatus> {
  const target: EventEmitter = node(id);
  return new Promise((resolve) => {
    const check = (): void => {
      const latest = badges(id).at(-1);
      if (latest === undefined) return;
      const fits = Object.entries(look).every(
        ([key, value]) => latest[key as keyof NodeStatus] === value,
      );
      if (!fits) return;
      target.removeListener("call:status", check);
      resolve(latest);
    };
    target.on("call:status", check);
    check();
  });
}

/** Resolves when a condition holds that no event announces; it is looked at in every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
