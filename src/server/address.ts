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
 * Who is at the other end: the connection's peer, unless that is a proxy that the operator trusts. Then it is the last
 * address in `X-Forwarded-For` that is not such a proxy itself; what stands before it, anybody may have written.
 */
export function peerOf(
  connectionPeer: string,
  forwardedFor: string | undefined,
  trustedProxies: ReadonlySet<string>,
): string {
  const peer = canonicalAddress(connectionPeer);
  if (!trustedProxies.has(peer) || forwardedFor === undefined) return peer;
  const hops = forwardedFor.split(",").map((hop) => canonicalAddress(hop.trim()));
  return hops.findLast((hop) => isIP(hop) !== 0 && !trustedProxies.has(hop)) ?? peer;
}
