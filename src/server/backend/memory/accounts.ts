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
  /** Stands in for an account that does not exist, so that its refusal takes as long. */
  readonly #nobody: AccountKey;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#nobody = new AccountKey(this.#newAccount(""), sha256(""), options);
    for (const account of options.accounts) {
      for (const hash of keyHashesOf(account)) this.#addHash(account.accountId, hash);
    }
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

  #addHash(accountId: string, hash: Buffer): void {
    const account = this.#accounts.get(accountId) ?? this.#newAccount(accountId);
    this.#accounts.set(accountId, account);
    account.addKey(new AccountKey(account, hash, this.#options));
  }

  #newAccount(accountId: string): Account {
    const { clock, bounds, limits } = this.#options;
    const idempotency = new IdempotencyKeys(bounds.idempotencyKeysMax, bounds.idempotencyMs, clock);
    return new Account(accountId, idempotency, limits.requestsPerMonthMax);
  }
}
