import { createHash } from "node:crypto";

/** A session as its cookie names it. */
export interface SessionName {
  readonly accountId: string;
  /** What Redis knows it by: a hash, so that who reads there cannot use it. */
  readonly name: string;
}

const ID = /^(AC\d{1,30})_([0-9A-F]{32})$/;

/** 128 bits, after the account, so that one knows where to look for it. */
export const newSessionId = (accountId: string, randomBytes: (size: number) => Buffer): string =>
  `${accountId}_${randomBytes(16).toString("hex").toUpperCase()}`;

/** The session that an id names, or undefined when it cannot be one. */
export function sessionOf(id: string | undefined): SessionName | undefined {
  const [, accountId] = ID.exec(id ?? "") ?? [];
  if (id === undefined || accountId === undefined) return undefined;
  return { accountId, name: createHash("sha256").update(id).digest("base64url").slice(0, 32) };
}
