/** Flows for the browser: one node of each type. */

import type { Flow } from "../nodes/runtime.js";
import { manifest } from "../support/packed.js";
import { ACCOUNT_ID, API_KEY } from "../support/service.js";

/** What the first version of the package saved of each type, beside `version` and `name`. */
const SAVED: Readonly<Record<string, object>> = {
  "xrtc-in": {
    ...{ portals: "kitchen, hall", mode: "stream", schedule: "FIFO", cutoff: -1 },
    ...{ start: "new", output: "auto" },
  },
  "xrtc-get": {},
  "xrtc-out": { portal: "kitchen" },
  "xrtc-server": { port: 8480, preset: "local" },
  "xrtc-config": {
    ...{ service: "local", server: "xrtc-server-1", baseUrl: "", loginUrl: "", setUrl: "" },
    ...{ getUrl: "", limits: "auto", allowInsecure: false },
  },
};

/** The node types that have a place on the workspace. */
export const NODE_TYPES = Object.keys(manifest["node-red"].nodes).filter(
  (type) => type !== "xrtc-config",
);

const at = (x: number, y: number): object => ({ z: "tab", x, y });
const place = (row: number): object => ({ ...at(300, 100 + 80 * row), wires: [] });

/**
 * One node of each type as the first version saved it, on a tab that does not run, so that nobody is asked for anything.
 *
 * @param config - other settings of the xrtc-config node
 */
export function oneOfEach(config: object = {}): Flow {
  return [
    { id: "tab", type: "tab", label: "one of each", disabled: true },
    ...NODE_TYPES.map((type, row) => ({
      ...{ id: `${type}-1`, type, version: 1, name: "", ...SAVED[type], ...place(row) },
      ...(type === "xrtc-server" ? {} : { config: "config-1" }),
    })),
    {
      ...{ id: "config-1", type: "xrtc-config", version: 1, name: "", ...SAVED["xrtc-config"] },
      ...config,
      credentials: { accountId: ACCOUNT_ID, apiKey: API_KEY },
    },
  ] as Flow;
}

/** An item on its way from a button to the debug sidebar, over a service for which there is no account yet. */
export function aWayThere(baseUrl: string): Flow {
  const node = { version: 1, name: "", config: "config-1" };
  return [
    { id: "tab", type: "tab", label: "a way there" },
    {
      ...{ id: "inject-1", type: "inject", ...at(160, 100), wires: [["xrtc-out-1"]] },
      ...{
        name: "",
        props: [{ p: "payload" }],
        payload: "21.5",
        payloadType: "str",
        repeat: "",
        crontab: "",
      },
    },
    { ...node, id: "xrtc-out-1", type: "xrtc-out", ...at(400, 100), portal: "kitchen", wires: [] },
    {
      ...{ ...node, id: "xrtc-in-1", type: "xrtc-in", ...at(160, 200), portals: "kitchen" },
      ...{ output: "string", wires: [["debug-1"]] },
    },
    {
      ...{ id: "debug-1", type: "debug", ...at(400, 200), name: "what arrived", wires: [] },
      ...{ active: true, tosidebar: true, complete: "payload", targetType: "msg" },
    },
    {
      ...{ id: "config-1", type: "xrtc-config", version: 1, name: "", service: "custom", baseUrl },
    },
  ] as Flow;
}
