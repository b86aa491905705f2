import type { ServerSettings, XrtcServerAccount } from "../../options.js";
import { timingSafeEqual } from "node:crypto";
import type { AccountBook } from "../backend.js";
import { KEYS_PER_ACCOUNT_MAX, keyHashesOf, sha256 } from "../key-hashes.js";
import type { Connection } from "./connection.js";
import { accountBase, keysKey, registeredKey } from "./keys.js";
import { numberAt } from "./reply.js";

/** Accounts of the options, which every process is told of, and registered ones, which are in Redis. */
export class RedisAccounts implements AccountBook {
  readonly #prefix: string;
  readonly #connection: Connection;
  readonly #settings: Pick<ServerSettings, "bounds" | "clock">;
  readonly #hashes = new Map<string, readonly Buffer[]>();

  constructor(
    prefix: string,
    connection: Connection,
    settings: Pick<ServerSettings, "accounts" | "bounds" | "clock">,
  ) {
    this.#prefix = prefix;
    this.#connection = connection;
    this.#settings = settings;
    this.renew(settings.accounts);
  }

  /** Takes other accounts in place of those of the options. */
  renew(accounts: readonly XrtcServerAccount[]): void {
    this.#hashes.clear();
    for (const account of accounts) {
      const known = this.#hashes.get(account.accountId) ?? [];
      const all = [...known, ...keyHashesOf(account)];
      this.#hashes.set(account.accountId, all.slice(-KEYS_PER_ACCOUNT_MAX));
    }
  }

  /** Whether the options name this key. A registered one only Redis knows. */
  isOfOptions(accountId: string, keyHash: Buffer): boolean {
    let isKnown = false;
    // Every key is compared, so that the time does not tell which one it was.
    for (const hash of this.#hashes.get(accountId) ?? NOBODY) {
      if (timingSafeEqual(hash, keyHash) && hash !== NOBODY[0]) isKnown = true;
    }
    return isKnown;
  }

  async hasRoom(): Promise<boolean> {
    const reply = await this.#connection.call("SCARD", registeredKey(this.#prefix));
    return this.#hashes.size + numberAt([reply], 0) < this.#settings.bounds.accountsMax;
  }

  /** Claims the id among all, then adds its key: an account without one opens for nobody. */
  async create(accountId: string, apiKey: string): Promise<boolean> {
    if (this.#hashes.has(accountId)) return false;
    const claimed = await this.#connection.call("SADD", registeredKey(this.#prefix), accountId);
    if (numberAt([claimed], 0) === 0) return false;
    const keys = keysKey(accountBase(this.#prefix, accountId));
    const usedAt = Math.floor(this.#settings.clock.wallNow());
    await this.#connection.call("HSET", keys, sha256(apiKey).toString("hex"), usedAt);
    return true;
  }
}

/** Stands in for an account that the options do not name, so that its refusal takes as long. */
const NOBODY: readonly Buffer[] = [sha256("")];
