import { createHash } from "node:crypto";

/** What is kept of a key in place of itself: its SHA-256 in hexadecimal digits. No salt: 190 random bits need none. */
export const sha256Of = (apiKey: string): string =>
  createHash("sha256").update(apiKey).digest("hex");
