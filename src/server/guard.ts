/** What is refused before anybody looks at what a request wants. */

import { isIP } from "node:net";
import { canonicalAddress, isLoopback, isWildcard } from "./address.js";
import { headerOf, type RequestHeaders, type ServerRequest } from "./exchange.js";
import { systemError, type WireError } from "./wire-error.js";

export interface GuardOptions {
  /** Address that the server is bound to. */
  readonly host: string;
  /** Further names of this server. */
  readonly hostNames: readonly string[];
}

/**
 * Keeps web pages out. One that the user happens to have open must not reach a server on the user's machine: neither by its own requests (`Origin`, `Sec-Fetch-Site`) nor by a name of its own that it lets point
 * here (`Host`).
 */
export class Guard {
  readonly #options: GuardOptions;
  /** The last header that named this server: a client sends the same with each request. */
  #ownHost: string | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @returns why the request is refused, or undefined */
  refusal(request: ServerRequest): WireError | undefined {
    const { headers, path, method } = request;
    if (method === "CONNECT") return systemError(405, "this server is no proxy");
    if (!path.startsWith("/")) return systemError(400, "the target must be a path");
    if (headers["upgrade"] !== undefined) {
      return systemError(400, "there is nothing to upgrade to");
    }
    const host = headerOf(headers, "host");
    if (host === undefined) return systemError(400, "a request has a Host header");
    if (host !== this.#ownHost) {
      if (!isOwnHost(host, this.#options)) {
        return systemError(403, "the Host header names another server");
      }
      this.#ownHost = host;
    }
    if (!isOwnOrigin(headers, host)) return systemError(403, "requests of web pages are refused");
    return undefined;
  }
}

/** What a browser says of a page that may ask. Anything else is of another site, or no browser's word. */
const OWN_SITES: ReadonlySet<unknown> = new Set(["same-origin", "same-site", "none"]);

function isOwnOrigin(headers: RequestHeaders, host: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && !OWN_SITES.has(site)) return false;
  if (headers["origin"] === undefined) return true;
  const origin = headerOf(headers, "origin")?.toLowerCase();
  const own = host.toLowerCase();
  return origin === `http://${own}` || origin === `https://${own}`;
}

function isOwnHost(header: string, { host, hostNames }: GuardOptions): boolean {
  const name = hostNameOf(header);
  if (name === undefined) return false;
  const address = canonicalAddress(name);
  if (isLoopback(address)) return true;
  // A page cannot let its own name be an address: on all addresses of the machine, any address is one of ours.
  if (isWildcard(host) && isIP(address) !== 0) return true;
  return [host, ...hostNames].some((own) => canonicalAddress(own) === address);
}

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i;

function hostNameOf(header: string): string | undefined {
  const match = HOST.exec(header);
  return match?.[1] ?? match?.[2];
}
