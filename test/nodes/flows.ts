/** The parts of which the flows of these tests are made. */

import { ACCOUNT_ID, API_KEY } from "../support/service.js";
import type { Flow, FlowCredentials } from "./runtime.js";

type Part = Flow[number];

const place = { z: "f1", x: 100, y: 100, wires: [] };

export const tab: Part = { id: "f1", type: "tab", label: "Test" };

export const config = (baseUrl: string, more: object = {}): Part => ({
  id: "c1",
  type: "xrtc-config",
  name: "Test service",
  service: "custom",
  baseUrl,
  ...more,
});

export const credentials: FlowCredentials = { c1: { accountId: ACCOUNT_ID, apiKey: API_KEY } };

/** A config node that takes everything from the server node `s1`. */
export const localConfig: Part = {
  id: "c1",
  type: "xrtc-config",
  name: "",
  service: "local",
  server: "s1",
};

export const server = (more: object = {}): Part => ({
  id: "s1",
  type: "xrtc-server",
  ...place,
  port: 0,
  ...more,
});

export const out = (more: object = {}): Part => ({
  id: "o1",
  type: "xrtc-out",
  ...place,
  config: "c1",
  portal: "",
  ...more,
});

/** An xrtc-in that is wired to the sink of the same number. */
export const input = (id: string, portals: string, more: object = {}): Part => ({
  id,
  type: "xrtc-in",
  ...place,
  config: "c1",
  portals,
  wires: [[id.replace("i", "k")]],
  ...more,
});

/** An xrtc-get that is wired to the sink of the same number. */
export const get = (id: string, more: object = {}): Part => ({
  id,
  type: "xrtc-get",
  ...place,
  config: "c1",
  wires: [[id.replace("g", "k")]],
  ...more,
});

/** A config node of Node-RED's own. */
export const proxyNode = (url: string, noproxy: string[] = []): Part => ({
  id: "p1",
  type: "http proxy",
  name: "",
  url,
  noproxy,
});

export const sink = (id: string): Part => ({ id, type: "sink", ...place });

/** Sends every error of the flow to the sink `caught`. */
export const catchAll: Flow = [
  { id: "e1", type: "catch", ...place, scope: null, uncaught: false, wires: [["caught"]] },
  { id: "caught", type: "sink", ...place },
];

/** Sends every message that a node has completed to the sink `completed`. */
export const complete = (id: string): Flow => [
  { id: "d1", type: "complete", ...place, scope: [id], wires: [["completed"]] },
  { id: "completed", type: "sink", ...place },
];
