import { randomBytes } from "node:crypto";
import type { Clock } from "../../primitives/clock.js";
import { isAccountId } from "../../protocol/item.js";
import { KEYS_PER_ACCOUNT_MAX } from "../backend/key-hashes.js";
import { newAccountId, newApiKey } from "../../protocol/new-credentials.js";
import { sha256Of } from "../new-credentials.js";
import { changeAccounts, type KeptAccount, readAccounts } from "./accounts-file.js";
import type { AccountAction, AccountArguments } from "./arguments.js";
import { UsageError } from "./usage-error.js";

export interface AccountPorts {
  readonly clock: Pick<Clock, "wallNow">;
  readonly stdout: (text: string) => void;
}

/**
 * `xrtc-server account`: makes, lists and removes the keys in a file of accounts.
 *
 * @throws UsageError
 */
export function runAccountCommand(
  action: AccountAction,
  path: string,
  given: AccountArguments,
  ports: AccountPorts,
): void {
  const { accountId } = given;
  if (accountId !== undefined && !isAccountId(accountId)) {
    throw new UsageError("--account: an account id is AC and up to 30 digits");
  }
  switch (action) {
    case "add":
      add(path, given, ports);
      return;
    case "list":
      ports.stdout(listOf(readAccounts(path)));
      return;
    case "remove":
      remove(path, given, ports);
      return;
    default:
      return action satisfies never;
  }
}

/** The one place where the key is seen: the file has only its hash. */
function add(path: string, given: AccountArguments, ports: AccountPorts): void {
  const accountId = given.accountId ?? newAccountId(randomBytes);
  const apiKey = newApiKey(randomBytes);
  let name = "";
  changeAccounts(path, (accounts) => {
    const keys = accounts.find((account) => account.accountId === accountId)?.keys ?? [];
    if (keys.length >= KEYS_PER_ACCOUNT_MAX) {
      throw new UsageError(`${accountId} has ${keys.length} keys already: remove one first`);
    }
    const isTaken = (wanted: string): boolean => keys.some((key) => key.name === wanted);
    name = given.name ?? freeName(isTaken);
    if (isTaken(name)) throw new UsageError(`--name: ${accountId} has a key of this name`);
    if (!/^[^\p{C}]{1,64}$/u.test(name)) {
      throw new UsageError("--name: a name is 1 to 64 printable characters");
    }
    const created = new Date(ports.clock.wallNow()).toISOString();
    const key = { name, sha256: sha256Of(apiKey), created };
    return withKeys(accounts, accountId, [...keys, key]);
  });
  ports.stdout(`made ${name}, and not shown again:\nACCOUNT_ID=${accountId}\nAPI_KEY=${apiKey}\n`);
}

/** Each account stays in its place; one without keys is gone. */
function withKeys(
  accounts: readonly KeptAccount[],
  accountId: string,
  keys: KeptAccount["keys"],
): KeptAccount[] {
  const isKnown = accounts.some((account) => account.accountId === accountId);
  const all = isKnown ? accounts : [...accounts, { accountId, keys }];
  return all
    .map((account) => (account.accountId === accountId ? { accountId, keys } : account))
    .filter((account) => account.keys.length > 0);
}

function freeName(isTaken: (name: string) => boolean): string {
  let number = 1;
  while (isTaken(`key${number}`)) number += 1;
  return `key${number}`;
}

function remove(path: string, given: AccountArguments, ports: AccountPorts): void {
  const { accountId, name, isAll } = given;
  if (accountId === undefined) throw new UsageError("account remove: --account is missing");
  if ((name === undefined) === !isAll) {
    throw new UsageError("account remove: expected --name, or --all for every key");
  }
  changeAccounts(path, (accounts) => {
    const account = accounts.find((other) => other.accountId === accountId);
    if (account === undefined) throw new UsageError(`--account: there is no ${accountId}`);
    const keys = isAll ? [] : account.keys.filter((key) => key.name !== name);
    if (keys.length === account.keys.length) {
      throw new UsageError(`--name: ${accountId} has no key of this name`);
    }
    return withKeys(accounts, accountId, keys);
  });
  ports.stdout(`removed ${name ?? "all keys"} of ${accountId}\n`);
}

const listOf = (accounts: readonly KeptAccount[]): string =>
  accounts
    .flatMap(({ accountId, keys }) =>
      keys.map(({ name, created }) => `${accountId}  ${created.slice(0, 10)}  ${name}\n`),
    )
    .join("");
