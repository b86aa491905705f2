import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Bounds } from "../bounds.js";
import { secureContextOf, type XrtcServerTls } from "../tls.js";

/** A server of node:http, or of node:https under TLS, that keeps the bounds as far as it can by itself. */
export function newServer(bounds: Bounds, tls: XrtcServerTls | undefined): Server | TlsServer {
  const options: ServerOptions = {
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: Math.min(bounds.headersTimeoutMs, bounds.requestTimeoutMs),
    requestTimeout: bounds.requestTimeoutMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    connectionsCheckingInterval: bounds.checkIntervalMs,
    // The guard refuses it, in the wire's shape.
    requireHostHeader: false,
  };
  const server = tls === undefined ? createServer(options) : newTlsServer(options, bounds, tls);
  // One more than allowed, so that too many can be told: node:http drops what is beyond without a word.
  server.maxHeadersCount = bounds.headersMax + 1;
  server.maxConnections = bounds.socketsMax;
  return server;
}

const newTlsServer = (options: ServerOptions, bounds: Bounds, tls: XrtcServerTls): TlsServer =>
  createTlsServer({
    ...options,
    ...secureContextOf(tls),
    // A handshake is what comes before the headers: the same patience.
    handshakeTimeout: bounds.headersTimeoutMs,
  });
