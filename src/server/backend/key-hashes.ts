import { hash } from "node:crypto";
import { type Redacted, revealed } from "../../primitives/redacted.js";

/** An account has at most so many keys; one more overwrites the oldest. */
export const KEYS_PER_ACCOUNT_MAX = 10;

export const sha256 = (text: string | Uint8Array): Buffer => hash("sha256", text, "buffer");

/** The keys that open an account, as the options have them. */
export interface AccountKeys {
  readonly apiKeys?: readonly (string | Redacted)[];
  /** Hex SHA-256 of keys. */
  readonly apiKeyHashes?: readonly string[];
}

/** The SHA-256 of each of the keys. */
export const keyHashesOf = ({ apiKeys = [], apiKeyHashes = [] }: AccountKeys): Buffer[] => [
  ...apiKeys.map((apiKey) => sha256(revealed(apiKey))),
  ...apiKeyHashes.map((hex) => Buffer.from(hex, "hex")),
];
