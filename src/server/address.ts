import { isIP } from "node:net";

/**
 * One spelling for one address: the three names of the local machine are one, an IPv4 address mapped into IPv6 is the
 * IPv4 address. Other loopback addresses stay others.
 */
export function canonicalAddress(address: string): string {
  const lower = address.toLowerCase();
  const zone = lower.indexOf("%");
  const bare = zone === -1 ? lower : lower.slice(0, zone);
  const plain = bare.startsWith("::ffff:") && bare.includes(".") ? bare.slice(7) : bare;
  return plain === "::1" ? "127.0.0.1" : plain;
}

/** Whether a host name or address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const address = canonicalAddress(host);
  return address === "localhost" || (isIP(address) === 4 && address.startsWith("127."));
}

/** Whether a server bound to this host listens on every address of the machine. */
export const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::";

/**
 * What a single client can be expected to have for itself: an IPv4 address, or a whole IPv6 network of 64 bits, out of
 * which it may take another address for each connection.
 */
export function networkOf(canonical: string): string {
  if (isIP(canonical) !== 6) return canonical;
  const [before = [], after = []] = canonical.split("::").map((part) => part.split(":"));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const groups = [...before, ...zeros, ...after].map((group) => (group === "" ? "0" : group));
  return `${groups.slice(0, 4).map(withoutZeros).join(":")}::/64`;
}

const withoutZeros = (group: string): string => group.replace(/^0+(?=.)/, "");

/**
 * Who is at the other end: the connection's peer, unless that is a proxy that the operator trusts. Then it is the last
 * address in `X-Forwarded-For` that is not such a proxy itself; what stands before it, anybody may have written. Where
 * that is no address, it is the proxy: to look further would be to believe the client.
 */
export function peerOf(
  connectionPeer: string,
  forwardedFor: string | undefined,
  trustedProxies: ReadonlySet<string>,
): string {
  const peer = canonicalAddress(connectionPeer);
  if (!trustedProxies.has(peer) || forwardedFor === undefined) return peer;
  const hops = forwardedFor.split(",").map((hop) => canonicalAddress(withoutPort(hop.trim())));
  const client = hops.findLast((hop) => !trustedProxies.has(hop));
  return client !== undefined && isIP(client) !== 0 ? client : peer;
}

const HOP = /^(?:\[([0-9a-f:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/i;

/** Some proxies write the port of the connection behind the address. */
function withoutPort(hop: string): string {
  const match = HOP.exec(hop);
  return match?.[1] ?? match?.[2] ?? hop;
}
