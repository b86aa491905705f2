/** The two cookies of a session. */

export const SESSION_COOKIE = "JSESSIONID";
/** The sticky cookie of the hosted service's load balancer. This server needs none, but clients expect the pair. */
export const BALANCER_COOKIE = "AWSALBAPP-0";

const ATTRIBUTES = "HttpOnly; SameSite=Strict";

export interface CookieScope {
  readonly path: string;
  /** Only under TLS: over plain HTTP a client would not send such a cookie back. */
  readonly isSecure: boolean;
}

/** A `Set-Cookie` header. */
export const setCookie = (name: string, value: string, { path, isSecure }: CookieScope): string =>
  `${name}=${value}; Path=${path}; ${ATTRIBUTES}${isSecure ? "; Secure" : ""}`;

/** The first cookie of that name in a `Cookie` header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (let from = 0; from < header.length;) {
    const semicolon = header.indexOf(";", from);
    const end = semicolon === -1 ? header.length : semicolon;
    const equals = header.indexOf("=", from);
    if (equals !== -1 && equals < end && header.slice(from, equals).trim() === name) {
      const value = header.slice(equals + 1, end).trim();
      return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    from = end + 1;
  }
  return undefined;
}
