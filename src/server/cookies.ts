/** The two cookies of a session. */

export const SESSION_COOKIE = "JSESSIONID";
/** The sticky cookie of the hosted service's load balancer. This server needs none, but clients expect the pair. */
export const BALANCER_COOKIE = "AWSALBAPP-0";

const ATTRIBUTES = "HttpOnly; SameSite=Strict";

/** A `Set-Cookie` header. Without `Secure` on plain HTTP: a client would not send such a cookie back. */
export const setCookie = (name: string, value: string, path: string): string =>
  `${name}=${value}; Path=${path}; ${ATTRIBUTES}`;

/** The first cookie of that name in a `Cookie` header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return undefined;
}
