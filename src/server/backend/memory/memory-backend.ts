import type { ServerSettings, XrtcServerAccount } from "../../options.js";
import type { Backend } from "../backend.js";
import { Accounts } from "./accounts.js";
import { MemoryEngine } from "./memory-engine.js";
import { MemorySessions } from "./memory-sessions.js";
import { Registrations } from "./registrations.js";

/** Everything in this process's memory: it answers at once, has no trouble, and is gone with the process. */
export class MemoryBackend implements Backend {
  readonly durability = "memory";
  readonly trouble = undefined;
  readonly engine: MemoryEngine;
  readonly accounts: Accounts;
  readonly registrations: Registrations;
  readonly sessions: MemorySessions;

  constructor(settings: ServerSettings) {
    const { clock, limits, bounds, random, extensions } = settings;
    this.engine = new MemoryEngine({
      limits,
      clock,
      epoch: random.id(),
      withSequence: extensions.has("seq"),
      storedBytesMax: bounds.storedBytesMax,
    });
    this.accounts = new Accounts(settings);
    this.registrations = new Registrations(settings);
    this.sessions = new MemorySessions(settings, this.accounts, this.engine);
  }

  get itemsOverrun(): number {
    return this.engine.itemsOverrun;
  }

  open(): void {
    // What is in memory is there.
  }

  renewAccounts(accounts: readonly XrtcServerAccount[]): void {
    this.sessions.endOf(this.accounts.renew(accounts));
  }

  close(): void {
    this.engine.close();
  }
}
