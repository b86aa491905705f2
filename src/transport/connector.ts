/** Opens connections: straight, or through a proxy's tunnel. */

import { request } from "node:http";
import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { systemClock, type Clock } from "../primitives/clock.js";
import type { ProxyRoute, RouteOf, TlsSettings } from "./network.js";
import { portOf } from "./proxy-route.js";

export interface ConnectorOptions {
  /** Milliseconds for each of the steps: to the proxy, its answer, TLS. */
  readonly timeoutMs: number;
  /** @defaultValue what Node.js trusts */
  readonly tls?: TlsSettings | undefined;
  /** @defaultValue straight */
  readonly routeOf?: RouteOf | undefined;
  readonly clock?: Clock;
}

type Connect = ReturnType<typeof buildConnector>;
type Target = Parameters<Connect>[0];
type Callback = Parameters<Connect>[1];

/** No tunnel came about; nothing of a request was sent then. */
export const PROXY_REFUSED = "ERR_XRTC_PROXY";

export function connectorOf(options: ConnectorOptions): Connect {
  const { timeoutMs, tls = {}, routeOf, clock = systemClock } = options;
  const toTarget = buildConnector({ timeout: timeoutMs, ...tls });
  // The certificate of a proxy is judged by what Node.js trusts: the settings are those of the service.
  const toProxy = buildConnector({ timeout: timeoutMs });
  const connect = async (target: Target, callback: Callback, route: ProxyRoute): Promise<void> => {
    const { hostname, protocol } = target;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const authority = `${host}:${portOf(protocol, target.port)}`;
    const httpSocket = await openTunnel({ route, authority, connect: toProxy, timeoutMs, clock });
    if (protocol === "https:") toTarget({ ...target, httpSocket }, callback);
    else callback(null, httpSocket);
  };
  return (target, callback) => {
    const { hostname, protocol } = target;
    const route = routeOf?.({ hostname, port: portOf(protocol, target.port), protocol });
    if (route === undefined) toTarget(target, callback);
    else connect(target, callback, route).catch((error: Error) => callback(error, null));
  };
}

interface Tunnel {
  readonly route: ProxyRoute;
  /** Host and port that the proxy is asked to connect to. */
  readonly authority: string;
  readonly connect: Connect;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

async function openTunnel({
  route,
  authority,
  connect,
  timeoutMs,
  clock,
}: Tunnel): Promise<Socket> {
  const { url, authorization } = route;
  const { protocol, hostname, host, port } = url;
  const socket = await new Promise<Socket>((resolve, reject) => {
    connect({ protocol, hostname: unbracketed(hostname), host, port }, (error, opened) =>
      error === null ? resolve(opened) : reject(error),
    );
  });
  const headers = {
    host: authority,
    ...(authorization === undefined ? {} : { "proxy-authorization": authorization.reveal() }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      path: authority,
      headers,
      createConnection: () => socket,
    });
    const cancel = clock.schedule(timeoutMs, () =>
      asked.destroy(refused(`the proxy did not answer within ${timeoutMs} ms`)),
    );
    const fail = (error: Error): void => {
      cancel();
      socket.destroy();
      reject(error);
    };
    asked.once("connect", ({ statusCode = 0 }) => {
      if (statusCode < 200 || statusCode > 299) {
        fail(refused(`the proxy answered with status ${statusCode}`));
        return;
      }
      cancel();
      resolve(socket);
    });
    asked.on("error", (error: Error & { code?: unknown }) =>
      fail(error.code === PROXY_REFUSED ? error : refused(`the proxy: ${error.message}`)),
    );
    asked.end();
  });
}

const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

const refused = (message: string): Error =>
  Object.assign(new Error(message), { code: PROXY_REFUSED });
