/** From a configuration to where its connection leads; nothing is looked up before somebody asks. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { NodeAPI } from "node-red";
import { type RegistrationOptions, XrtcError } from "../../src/index.js";
import type { Destination } from "./connection.js";
import { type Credentials, credentialsFrom, type SavedCredentials } from "./credentials.js";
import { networkOf, STRAIGHT } from "./network.js";
import type { ConfigSettings } from "./settings/config.js";
import { isDeployed, sharedOf } from "./shared.js";
import {
  limitsOf,
  registrationUrlOf,
  sendingOf,
  type Target,
  urlsBelow,
  urlsOf,
} from "./target.js";

/** @param saved - what the node's own fields hold */
export function destinationOf(
  RED: NodeAPI,
  settings: ConfigSettings,
  saved: SavedCredentials | undefined,
): Destination {
  const { server, allowInsecure } = settings;
  const sending = sendingOf(settings);
  if (settings.service !== "local") {
    const target = (): Target => ({
      ...urlsOf(settings),
      ...storedCredentials(RED, settings, saved),
      limits: limitsOf(settings),
      sending,
      network: networkOf(settings, (id) => RED.nodes.getNode(id)),
      allowInsecure,
    });
    return { kind: "fixed", target };
  }
  const { servers } = sharedOf(RED);
  return {
    kind: "server",
    watch: (listener) => servers.watch(server, listener),
    isDeployed: () => isDeployed(RED, server, "xrtc-server"),
    target: ({ url, limits, credentials }) => ({
      ...urlsBelow(url),
      ...credentials,
      limits: limitsOf(settings, limits),
      sending,
      network: STRAIGHT,
      allowInsecure,
    }),
  };
}

/**
 * Where an account is registered, and how to get there.
 *
 * @throws XrtcError XRTC_OPTIONS, XRTC_SERVER_MISSING when that is not known
 */
export function registrationOf(RED: NodeAPI, settings: ConfigSettings): RegistrationOptions {
  const { server, allowInsecure } = settings;
  if (settings.service !== "local") {
    const network = networkOf(settings, (id) => RED.nodes.getNode(id));
    return { baseUrl: registrationUrlOf(settings), allowInsecure, ...network };
  }
  let baseUrl: string | undefined;
  sharedOf(RED).servers.watch(server, (state) => {
    baseUrl = state.kind === "listening" ? state.url : undefined;
  })();
  if (baseUrl !== undefined) return { baseUrl, ...STRAIGHT };
  throw new XrtcError("XRTC_SERVER_MISSING", "the xrtc-server node does not listen");
}

function storedCredentials(
  RED: NodeAPI,
  settings: ConfigSettings,
  saved: SavedCredentials | undefined,
): Credentials {
  const { userDir, fileWorkingDirectory } = RED.settings as {
    readonly userDir?: string;
    readonly fileWorkingDirectory?: string;
  };
  // As the file nodes do where that is set; else beside the flows, which a service's working directory rarely is.
  const folder = fileWorkingDirectory || userDir || ".";
  const readText = (path: string): string => readFileSync(resolve(folder, path), "utf8");
  return credentialsFrom(settings, { saved, environment: process.env, readText });
}
