/** How connections come about beyond an address: whom to trust, and which way to go. */

import type { ConnectionOptions } from "node:tls";
import type { Redacted } from "../primitives/redacted.js";

/** What a TLS connection is made with; the names are those of Node.js. */
export type TlsSettings = Pick<
  ConnectionOptions,
  "secureContext" | "servername" | "rejectUnauthorized"
>;

/** A proxy, and what to tell it. */
export interface ProxyRoute {
  /** `http:` or `https:`, without user and password. */
  readonly url: URL;
  /** Value of `proxy-authorization`. */
  readonly authorization: Redacted | undefined;
}

/** The way to an address; undefined for the straight one. */
export type RouteOf = (target: {
  readonly hostname: string;
  readonly port: number;
  readonly protocol: string;
}) => ProxyRoute | undefined;
