import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { asError, printable, XrtcError } from "../errors.js";
import { type Redacted, revealed } from "../primitives/redacted.js";

/** What the server proves itself with under TLS. */
export interface XrtcServerTls {
  /** Certificate as PEM, those between it and the authority after it. */
  readonly cert: string;
  /** Its private key as PEM. */
  readonly key: string | Redacted;
  /** What the key is encrypted with. @defaultValue none */
  readonly passphrase?: string | Redacted;
}

/** The same for node:tls. */
export const secureContextOf = ({
  cert,
  key,
  passphrase,
}: XrtcServerTls): SecureContextOptions => ({
  cert,
  key: revealed(key),
  ...(passphrase === undefined ? {} : { passphrase: revealed(passphrase) }),
  minVersion: "TLSv1.2",
});

/**
 * Finds out whether a server can prove itself with a certificate and a key. OpenSSL's own words for what is wrong are
 * for its authors.
 *
 * @returns UNIX ms until which the certificate is valid
 * @throws XrtcError XRTC_OPTIONS
 */
export function checkTls(tls: XrtcServerTls): number {
  const certificate = certificateOf(tls.cert);
  if (!certificate.checkPrivateKey(privateKeyOf(tls))) {
    throw refused("tls.key: this key does not belong to the certificate");
  }
  try {
    createSecureContext(secureContextOf(tls));
  } catch (thrown) {
    throw refused(`tls: ${printable(asError(thrown).message)}`);
  }
  return Date.parse(certificate.validTo);
}

function certificateOf(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw refused("tls.cert: this is no certificate in PEM form");
  }
}

function privateKeyOf({ key, passphrase }: XrtcServerTls): KeyObject {
  const text = revealed(key);
  const isEncrypted = /^-----BEGIN ENCRYPTED |^Proc-Type: .*ENCRYPTED/m.test(text);
  if (isEncrypted && passphrase === undefined) {
    throw refused("tls.passphrase: the key is encrypted, and there is no passphrase for it");
  }
  try {
    return createPrivateKey({
      key: text,
      ...(passphrase === undefined ? {} : { passphrase: revealed(passphrase) }),
    });
  } catch {
    throw refused(
      isEncrypted
        ? "tls.passphrase: the key cannot be decrypted with it"
        : "tls.key: this is no private key in PEM form",
    );
  }
}

const refused = (message: string): XrtcError => new XrtcError("XRTC_OPTIONS", message);
