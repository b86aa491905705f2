/** A place below Node-RED's own web server. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { NodeAPI } from "node-red";
import { XrtcError } from "../../src/index.js";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** What of Express is used: 4 keeps its layers in `_router`, 5 in `router`. */
interface App {
  use(path: string, handler: RequestHandler): unknown;
  readonly _router?: Router;
  readonly router?: Router;
}
interface Router {
  readonly stack: { readonly handle: unknown }[];
}

/** What was mounted where, for as long as it is. */
const mounted = new WeakMap<object, Set<string>>();

/** Takes requests at a path until the function that it returns is called. */
export type Mount = (path: string, handler: RequestHandler) => () => void;

/** The root of the paths at which flows answer requests, without a slash at its end. */
export function httpRootOf(RED: NodeAPI): string {
  const { httpNodeRoot } = RED.settings as { readonly httpNodeRoot?: unknown };
  const root = typeof httpNodeRoot === "string" ? httpNodeRoot.replace(/^\/+|\/+$/g, "") : "";
  return root === "" ? "" : `/${root}`;
}

/**
 * Mounts on the web server of this Node-RED, where the nodes `http in` are, too.
 *
 * @throws XrtcError XRTC_OPTIONS where it is switched off; XRTC_SERVER_ADDRESS when another server has the path
 */
export const mountOn =
  (RED: NodeAPI): Mount =>
  (path, handler) => {
    const { httpNodeRoot } = RED.settings as { readonly httpNodeRoot?: unknown };
    const app = RED.httpNode as unknown as App | null | undefined;
    if (!app || httpNodeRoot === false) {
      const reason = "httpNodeRoot in the settings file switches the paths of flows off";
      throw new XrtcError("XRTC_OPTIONS", `xrtc-server: path: ${reason}`);
    }
    const paths = mounted.get(app) ?? new Set<string>();
    mounted.set(app, paths);
    if (paths.has(path)) {
      throw new XrtcError("XRTC_SERVER_ADDRESS", `another xrtc-server has the path ${path}`);
    }
    // A function of its own, so that it can be told from any other.
    const layer: RequestHandler = (request, response) => handler(request, response);
    app.use(path, layer);
    paths.add(path);
    return () => {
      paths.delete(path);
      unmount(app, layer);
    };
  };

/** Express has no word for it. */
function unmount(app: App, layer: RequestHandler): void {
  // In 4, `router` exists only to say that it is gone.
  const { stack } = app._router ?? app.router ?? { stack: [] };
  const at = stack.findIndex(({ handle }) => handle === layer);
  if (at !== -1) stack.splice(at, 1);
}
