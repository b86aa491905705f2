import type { Clock } from "../../../primitives/clock.js";
import type { Limits } from "../../../protocol/limits.js";
import type { AccountBook } from "../backend.js";
import { keyHashesOf, sha256 } from "../key-hashes.js";
import { Account, AccountKey } from "./account-key.js";
import type { Bounds } from "../../bounds.js";
import { IdempotencyKeys } from "./idempotency.js";
import type { XrtcServerAccount } from "../../options.js";

export interface AccountsOptions {
  readonly accounts: readonly XrtcServerAccount[];
  readonly clock: Clock;
  readonly limits: Limits;
  readonly bounds: Bounds;
}

/** Who may log in. */
export class Accounts implements AccountBook {
  readonly #options: AccountsOptions;
  readonly #accounts = new Map<string, Account>();
  /** Keys of the options, as opposed to those that were registered. */
  readonly #ofOptions = new Set<AccountKey>();
  /** Stands in for an account that does not exist, so that its refusal takes as long. */
  readonly #nobody: AccountKey;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#nobody = new AccountKey(this.#newAccount(""), sha256(""), options);
    this.renew(options.accounts);
  }

  /** Takes other accounts in place of those of the options. @returns the keys that open nothing any more */
  renew(accounts: readonly XrtcServerAccount[]): ReadonlySet<AccountKey> {
    const wanted = new Map<string, Buffer[]>();
    for (const account of accounts) {
      const hashes = wanted.get(account.accountId) ?? [];
      wanted.set(account.accountId, [...hashes, ...keyHashesOf(account)]);
    }
    const gone = new Set<AccountKey>();
    for (const key of this.#ofOptions) {
      const isWanted = wanted.get(key.accountId)?.some((hash) => key.isHashedAs(hash)) ?? false;
      if (!isWanted) gone.add(key);
    }
    for (const key of gone) this.#remove(key);
    for (const [accountId, hashes] of wanted) {
      for (const hash of hashes) this.#keep(accountId, hash);
    }
    return gone;
  }

  hasRoom(): boolean {
    return this.#accounts.size < this.#options.bounds.accountsMax;
  }

  create(accountId: string, apiKey: string): boolean {
    if (this.#accounts.has(accountId)) return false;
    this.#addHash(accountId, sha256(apiKey));
    return true;
  }

  /** The key that these credentials name, or undefined, for whatever reason. */
  verify(accountId: string, apiKey: string): AccountKey | undefined {
    const hash = sha256(apiKey);
    const keys = this.#accounts.get(accountId)?.keys ?? [this.#nobody];
    let found: AccountKey | undefined;
    // Every key is compared, so that the time does not tell which one it was.
    for (const key of keys) {
      if (key.isHashedAs(hash) && !key.isDisabled && key !== this.#nobody) found = key;
    }
    return found;
  }

  #addHash(accountId: string, hash: Buffer): AccountKey {
    const account = this.#accounts.get(accountId) ?? this.#newAccount(accountId);
    this.#accounts.set(accountId, account);
    const key = new AccountKey(account, hash, this.#options);
    account.addKey(key);
    return key;
  }

  /** A key that is there stays as it is, with what was counted for it. */
  #keep(accountId: string, hash: Buffer): void {
    const known = this.#accounts.get(accountId)?.keys ?? [];
    if (known.some((key) => key.isHashedAs(hash))) return;
    this.#ofOptions.add(this.#addHash(accountId, hash));
  }

  #remove(key: AccountKey): void {
    this.#ofOptions.delete(key);
    const { account, accountId } = key;
    account.removeKey(key);
    if (account.keys.length === 0) this.#accounts.delete(accountId);
  }

  #newAccount(accountId: string): Account {
    const { clock, bounds, limits } = this.#options;
    const idempotency = new IdempotencyKeys(bounds.idempotencyKeysMax, bounds.idempotencyMs, clock);
    return new Account(accountId, idempotency, limits.requestsPerMonthMax);
  }
}
