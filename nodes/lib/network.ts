/** From the config nodes for TLS and proxies to what a client, or a server, is told of them. */

import {
  printable,
  type ProxyOptions,
  Redacted,
  type TlsOptions,
  XrtcError,
} from "../../src/index.js";
import type { XrtcServerTls } from "../../src/server/index.js";
import { unsetVariable } from "./saved-settings.js";
import type { ConfigSettings } from "./settings/config.js";

/** How a client reaches its service. */
export interface Network {
  readonly tls?: TlsOptions;
  /** False for the straight way, also where the environment names a proxy. */
  readonly proxy?: ProxyOptions | false;
}

/** The straight way, for a server of the same Node-RED. */
export const STRAIGHT: Network = { proxy: false };

/** A tls-config node, as far as it matters here. */
interface TlsNode {
  readonly valid?: boolean;
  addTLSOptions(options: object): TlsOptions;
}

/** An http proxy node. */
interface ProxyNode {
  readonly url?: unknown;
  readonly noproxy?: unknown;
  readonly credentials?: { readonly username?: string; readonly password?: string };
}

/**
 * What the chosen tls-config and http proxy nodes say.
 *
 * @param getNode - finds a deployed node by its id
 * @throws XrtcError XRTC_OPTIONS when one is not deployed, or says what cannot be used
 */
export function networkOf(
  { tls, proxy }: Pick<ConfigSettings, "tls" | "proxy">,
  getNode: (id: string) => unknown,
): Network {
  return {
    ...(tls === "" ? {} : { tls: tlsOf(getNode(tls)) }),
    ...(proxy === "" ? {} : { proxy: proxyOf(getNode(proxy)) }),
  };
}

/**
 * What a server proves itself with, as a tls-config node says.
 *
 * @throws XrtcError XRTC_OPTIONS when it is not deployed, or has no certificate that can be read
 */
export function serverTlsOf(node: unknown): XrtcServerTls {
  if (!isTlsNode(node)) throw notDeployed("tls", "tls-config", "xrtc-server");
  const { cert, key, passphrase } = node.addTLSOptions({});
  if (node.valid === false || !cert || !key) {
    const reason = "the tls-config node has no certificate and key, or cannot read them";
    throw wrong("tls", reason, "xrtc-server");
  }
  return {
    cert: String(cert),
    key: new Redacted(String(key)),
    ...(passphrase ? { passphrase: new Redacted(String(passphrase)) } : {}),
  };
}

function tlsOf(node: unknown): TlsOptions {
  if (!isTlsNode(node)) throw notDeployed("tls", "tls-config");
  if (node.valid === false) {
    // The node has said why; without its certificates, a connection would be another than was asked for.
    throw wrong("tls", "the tls-config node cannot read its certificates");
  }
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = node.addTLSOptions({});
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(servername ? { servername } : {}),
    rejectUnauthorized: rejectUnauthorized !== false,
  };
}

function proxyOf(node: unknown): ProxyOptions {
  if (typeof node !== "object" || node === null || !("noproxy" in node || "url" in node)) {
    throw notDeployed("proxy", "http proxy");
  }
  const { url, noproxy, credentials = {} } = node as ProxyNode;
  const { username, password } = credentials;
  for (const value of [url, username, password]) {
    const variable = unsetVariable(value);
    if (variable === undefined) continue;
    throw wrong("proxy", `the environment variable ${printable(variable, 64)} is not set`);
  }
  if (typeof url !== "string" || url.trim() === "") {
    throw wrong("proxy", "the http proxy node has no address");
  }
  const noProxy = Array.isArray(noproxy) ? noproxy.map(String) : [];
  return {
    url: url.trim(),
    noProxy,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

const isTlsNode = (node: unknown): node is TlsNode =>
  typeof (node as Partial<TlsNode> | null | undefined)?.addTLSOptions === "function";

const notDeployed = (field: string, type: string, owner?: string): XrtcError =>
  wrong(field, `the ${type} node that is chosen is not deployed, or is disabled`, owner);

const wrong = (field: string, reason: string, owner = "xrtc-config"): XrtcError =>
  new XrtcError("XRTC_OPTIONS", `${owner}: ${field}: ${reason}`);
