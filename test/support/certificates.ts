/** Certificates for tests, made when they are needed: an authority, and what it vouches for. */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

// The parts of ASN.1 that a certificate is made of, each as type, length, content.
const part = (type: number, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, ...size]), body]);
};
const sequence = (...content: Buffer[]): Buffer => part(0x30, ...content);
const oid = (hex: string): Buffer => part(0x06, Buffer.from(hex, "hex"));
const octets = (content: Buffer): Buffer => part(0x04, content);
const bits = (content: Buffer): Buffer => part(0x03, Buffer.from([0]), content);
const yes = part(0x01, Buffer.from([0xff]));
const utcTime = (wallMs: number): Buffer => {
  const digits = new Date(wallMs).toISOString().replace(/\D/g, "").slice(2, 14);
  return part(0x17, Buffer.from(`${digits}Z`));
};

const COMMON_NAME = "550403";
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const BASIC_CONSTRAINTS = "551d13";
const SUBJECT_ALT_NAME = "551d11";
const DAY_MS = 86_400_000;

const nameOf = (text: string): Buffer =>
  sequence(part(0x31, sequence(oid(COMMON_NAME), part(0x0c, Buffer.from(text)))));

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value));

/** A host name, or an IPv4 address as its four bytes. */
const altName = (host: string): Buffer =>
  /^[\d.]+$/.test(host)
    ? part(0x87, Buffer.from(host.split(".").map(Number)))
    : part(0x82, Buffer.from(host));

/** Positive, and different for each: nobody but a test could tell them apart otherwise. */
function serialNumber(): Buffer {
  const bytes = randomBytes(8);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return part(0x02, bytes);
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate({ name, publicKey, extensions }: Subject, by: Issuer): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const now = Date.now();
  const content = sequence(
    part(0xa0, part(0x02, Buffer.from([2]))),
    serialNumber(),
    algorithm,
    nameOf(by.name),
    sequence(utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    part(0xa3, sequence(...extensions)),
  );
  const der = sequence(content, algorithm, bits(sign("sha256", content, by.key)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** An authority that nobody trusts who is not told to. */
export class Authority {
  readonly cert: string;
  readonly #issuer: Issuer;

  constructor(name = "Test authority") {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#issuer = { name, key: privateKey };
    const extensions = [extension(BASIC_CONSTRAINTS, true, sequence(yes))];
    this.cert = certificate({ name, publicKey, extensions }, this.#issuer);
  }

  /** A certificate for a server or a client of these names. */
  issue(...hosts: readonly string[]): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const [name = "nobody"] = hosts;
    const extensions = [
      extension(BASIC_CONSTRAINTS, true, sequence()),
      extension(SUBJECT_ALT_NAME, false, sequence(...hosts.map(altName))),
    ];
    return {
      cert: certificate({ name, publicKey, extensions }, this.#issuer),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
  }
}
