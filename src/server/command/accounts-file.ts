/** The accounts of a server as they are kept in a file: of each key only its SHA-256. */

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
} from "node:fs";
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { asError } from "../../errors.js";
import { isAccountId } from "../../protocol/item.js";
import { KEYS_PER_ACCOUNT_MAX } from "../backend/key-hashes.js";
import { UsageError } from "./usage-error.js";

const keySchema = z.strictObject({
  name: z.string().regex(/^[^\p{C}]{1,64}$/u, { error: "a name is 1 to 64 printable characters" }),
  /** 64 hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: "expected 64 hexadecimal digits" }),
  /** When it was made, ISO 8601. */
  created: z.iso.datetime(),
});

const accountSchema = z.strictObject({
  accountId: z.string().refine(isAccountId, { error: "an account id is AC and up to 30 digits" }),
  keys: z.array(keySchema).max(KEYS_PER_ACCOUNT_MAX),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  accounts: z
    .array(accountSchema)
    .refine((accounts) => isUnique(accounts.map(({ accountId }) => accountId)), {
      error: "two accounts have the same id",
    }),
});

export type KeptKey = z.infer<typeof keySchema>;
export type KeptAccount = z.infer<typeof accountSchema>;

const isUnique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/**
 * The accounts in a file.
 *
 * @throws UsageError when it cannot be read, or is not what it should be
 */
export function readAccounts(path: string): KeptAccount[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    throw new UsageError(`${path}: ${reasonOf(thrown)}`);
  }
  const parsed = fileSchema.safeParse(jsonOf(text, path));
  if (parsed.success) return parsed.data.accounts;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${path}: ${issue?.path.map(String).join(".")}: ${issue?.message}`);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its own message shows a piece of the text.
    throw new UsageError(`${path}: this is no JSON`);
  }
}

/**
 * Changes the accounts in a file: whoever reads it finds it as it was or as it is, and nobody else changes it meanwhile.
 * A file that is not there is made, for its owner alone.
 *
 * @param change - the accounts as they shall be; what it throws leaves the file as it was
 * @throws UsageError
 */
export function changeAccounts(
  path: string,
  change: (accounts: readonly KeptAccount[]) => readonly KeptAccount[],
): void {
  const target = existing(path) ? realpathSync(path) : path;
  const lock = `${target}.lock`;
  try {
    closeSync(openSync(lock, "wx", 0o600));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw new UsageError(`${path}: ${reasonOf(thrown)}`);
    throw new UsageError(`${path}: it is being changed; if by nobody, remove ${lock}`);
  }
  try {
    const accounts = change(existing(target) ? readAccounts(target) : []);
    replace(target, `${JSON.stringify({ version: 1, accounts }, null, 2)}\n`);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Writes beside the file and puts it in its place; whoever owned it owns it still. */
function replace(path: string, text: string): void {
  const next = `${path}.new`;
  try {
    rmSync(next, { force: true });
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    const file = openSync(next, O_CREAT | O_EXCL | O_WRONLY, 0o600);
    try {
      writeFileSync(file, text);
      if (existing(path)) keepReaders(file, path);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
    syncFolder(dirname(path));
  } catch (thrown) {
    rmSync(next, { force: true });
    throw new UsageError(`${path}: ${reasonOf(thrown)}`);
  }
}

/** The file of a service may be changed by root: the service, or its group, must still be able to read it. */
function keepReaders(file: number, path: string): void {
  const { uid, gid, mode } = statSync(path);
  if (process.getuid?.() === 0) fchownSync(file, uid, gid);
  fchmodSync(file, 0o600 | (mode & 0o040));
}

/** The new name is on the disk, too. */
function syncFolder(folder: string): void {
  // Windows has no folders to sync.
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const existing = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "this user may not",
  EBUSY: "it cannot be replaced: mount its folder, and not the file alone",
  EISDIR: "it is a folder",
};

function reasonOf(thrown: unknown): string {
  const { code, message } = asError(thrown) as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? message;
}
