/** Which requests go through a proxy, and through which one; pure. */

import { XrtcError } from "../errors.js";
import { Redacted } from "../primitives/redacted.js";
import type { ProxyRoute, RouteOf } from "./network.js";

/** A proxy as it is named in options. */
export interface ProxyOptions {
  /** `http:` or `https:`; user and password may stand in it. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | Redacted | undefined;
  /** Hosts that are reached without it, as in `NO_PROXY`. */
  readonly noProxy?: readonly string[] | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** @throws XrtcError `XRTC_OPTIONS` when the proxy's address is none */
export function routeThrough({ url, username, password, noProxy = [] }: ProxyOptions): RouteOf {
  const secret = password instanceof Redacted ? password.reveal() : password;
  const route = proxyAt(url, "proxy", { username, password: secret });
  const except = noProxy.join(",");
  return ({ hostname, port }) => (isExcepted(hostname, port, except) ? undefined : route);
}

/**
 * The way that the environment names: `HTTPS_PROXY` and `HTTP_PROXY` by the target's protocol, else `ALL_PROXY`,
 * unless `NO_PROXY` names the host. In lower case they go before. This machine itself is always reached straight.
 *
 * @throws XrtcError `XRTC_OPTIONS` when an address in it is none
 */
export function routeOfEnvironment(environment: Environment): RouteOf | undefined {
  const named = (name: string): string =>
    (environment[name.toLowerCase()] || environment[name] || "").trim();
  const routeFor = (name: string): ProxyRoute | undefined => {
    const url = named(name) || named("ALL_PROXY");
    return url === "" ? undefined : proxyAt(url, named(name) === "" ? "ALL_PROXY" : name, {});
  };
  const routes = { "http:": routeFor("HTTP_PROXY"), "https:": routeFor("HTTPS_PROXY") };
  if (routes["http:"] === undefined && routes["https:"] === undefined) return undefined;
  const except = named("NO_PROXY");
  return ({ hostname, port, protocol }) =>
    isLoopback(hostname) || isExcepted(hostname, port, except)
      ? undefined
      : routes[protocol === "https:" ? "https:" : "http:"];
}

/** Whether the host of a URL is this machine. */
export const isLoopback = (host: string): boolean =>
  /^(?:localhost|::1|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(host);

/** The port of a target, where its address may leave it out. */
export const portOf = (protocol: string, port: string | null | undefined): number =>
  Number(port) || (PORTS[protocol] ?? 443);

interface User {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

function proxyAt(text: string, name: string, given: User): ProxyRoute {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // The text itself stays out of the error: there may be a password in it.
  if (url === undefined || PORTS[url.protocol] === undefined || url.hostname === "") {
    throw new XrtcError("XRTC_OPTIONS", `${name}: expected the http or https address of a proxy.`);
  }
  const username = given.username || decoded(url.username, name);
  const password = given.password || decoded(url.password, name);
  return { url: new URL(url.origin), authorization: basic(username, password) };
}

function basic(username: string, password: string): Redacted | undefined {
  if (username === "" && password === "") return undefined;
  return new Redacted(`Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
}

function decoded(part: string, name: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new XrtcError(
      "XRTC_OPTIONS",
      `${name}: a % in user or password is not followed by two digits.`,
    );
  }
}

/** Whether a list such as `localhost, .example.org, example.com:8080, *` names a host. */
function isExcepted(hostname: string, port: number, list: string): boolean {
  const host = unbracketed(hostname.toLowerCase());
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && names(entry, host, port));
}

function names(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  const { pattern = "", only } = /^(?<pattern>.+?)(?::(?<only>\d+))?$/.exec(entry)?.groups ?? {};
  // An IPv6 address without brackets has colons of its own.
  const isAddress = entry.split(":").length > 2 && !entry.startsWith("[");
  if (!isAddress && only !== undefined && Number(only) !== port) return false;
  const name = unbracketed(isAddress ? entry : pattern).replace(/^\*?\./, "");
  return host === name || host.endsWith(`.${name}`);
}

const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");
