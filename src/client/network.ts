/** From what the user says of certificates and proxies to what connections are made with. */

import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { asError } from "../errors.js";
import { Redacted } from "../primitives/redacted.js";
import type { Environment } from "../session/environment.js";
import type { RouteOf, TlsSettings } from "../transport/network.js";
import { routeOfEnvironment, routeThrough, type ProxyOptions } from "../transport/proxy-route.js";
import { badOption } from "./urls.js";

/** Certificates of one's own; the names are those of Node.js, the material is PEM. */
export interface TlsOptions {
  /** Authorities to trust in place of those of Node.js. */
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined;
  /** The client's own certificate. */
  readonly cert?: string | Buffer | undefined;
  /** Its key. */
  readonly key?: string | Buffer | Redacted | undefined;
  /** Opens the key. */
  readonly passphrase?: string | Redacted | undefined;
  /** The name that the service's certificate has to bear. @defaultValue the host of the URL */
  readonly servername?: string | undefined;
  /** `false` trusts any certificate: whoever is on the way can read along. @defaultValue true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** @throws XrtcError `XRTC_OPTIONS` when certificates or key cannot be used */
export function tlsSettings(options: TlsOptions | undefined): TlsSettings | undefined {
  if (options === undefined) return undefined;
  const { ca, cert, key, passphrase, servername, rejectUnauthorized = true } = options;
  const material = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: revealed(key) }),
    ...(passphrase === undefined ? {} : { passphrase: revealed(passphrase) }),
  };
  try {
    // An authority that cannot be read would be passed over, and then nobody be trusted.
    for (const authority of [ca ?? []].flat()) readCertificate(authority);
    // Made once, so that a wrong certificate is told now and not by each connection.
    const secureContext = createSecureContext(material);
    return { secureContext, rejectUnauthorized, ...(servername ? { servername } : {}) };
  } catch (thrown) {
    // The words of the library name what is wrong with the form, never what stands in it.
    throw badOption(`tls: certificate or key cannot be used (${asError(thrown).message})`);
  }
}

/** @throws XrtcError `XRTC_OPTIONS` when a proxy's address is none */
export function routeFor(
  proxy: string | ProxyOptions | false | undefined,
  environment: Environment,
): RouteOf | undefined {
  if (proxy === false) return undefined;
  if (proxy === undefined || proxy === "") return routeOfEnvironment(environment);
  return routeThrough(typeof proxy === "string" ? { url: proxy } : proxy);
}

const readCertificate = (pem: string | Buffer): X509Certificate => new X509Certificate(pem);

const revealed = <T>(value: T | Redacted): T | string =>
  value instanceof Redacted ? value.reveal() : value;
