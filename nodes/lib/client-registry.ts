import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type Clock,
  type Observable,
  type Usage,
  XrtcClient,
  type XrtcClientOptions,
  XrtcError,
} from "../../src/index.js";
import type { Lease } from "./pool.js";
import { Pool } from "./pool.js";
import type { Target } from "./target.js";

/** Milliseconds that a client outlives its last user: a redeploy takes far less and costs no login then. */
export const CLIENT_HOLD_MS = 10_000;

export interface ClientRegistryOptions {
  readonly clock: Clock;
  /** Hears of what goes wrong after nobody is left who could be told. */
  readonly onError: (thrown: unknown) => void;
  /** Hears when a month's requests get scarce: once for each level. */
  readonly onUsage?: (usage: Usage) => void;
  /** Hears of each client that trusts any certificate; `owner` is the config node that wants it so. */
  readonly onUnverified?: (owner: string) => void;
  /** Folder of the files that keep each month's count over restarts. */
  readonly counterFolder?: string | undefined;
}

/** One client per (the three URLs, account, key) in the whole process, whoever asks and however often. */
export class ClientRegistry {
  readonly #pool: Pool<XrtcClient>;
  readonly #options: ClientRegistryOptions;

  constructor(options: ClientRegistryOptions) {
    const { clock, onError } = options;
    this.#options = options;
    this.#pool = new Pool({
      clock,
      onError,
      holdMs: CLIENT_HOLD_MS,
      dispose: (client) => client.close(),
    });
  }

  get size(): number {
    return this.#pool.size;
  }

  /** Changes whenever a client lost its last user, which may end a conflict. */
  get freed(): Observable<number> {
    return this.#pool.freed;
  }

  /**
   * @param owner - name of the config node, for the error of another one
   * @param options.asItIs - take the client that is there whatever its limits and its pace, as long as it goes the same
   * way to the service: for somebody who only looks
   * @throws XrtcError XRTC_OPTIONS when another config node uses the same key with other limits, another network or
   * another pace, or when the client refuses its options
   */
  acquire(
    target: Target,
    owner: string,
    { asItIs = false }: { readonly asItIs?: boolean } = {},
  ): Lease<XrtcClient> {
    const { loginUrl, setUrl, getUrl, accountId, apiKey } = target;
    // A digest, so that no key lies about as a key of a map.
    const key = digest([loginUrl, setUrl, getUrl, accountId, apiKey.reveal()]);
    const traits = traitsOf(target);
    return this.#pool.acquire(key, {
      fingerprint: JSON.stringify(traits),
      ...(asItIs ? { accepts: (other) => read(other).network === traits.network } : {}),
      owner,
      create: () => this.#create(target, owner),
      conflict: (user, other) => conflictOf(user, differences(traits, read(other))),
    });
  }

  #create(target: Target, owner: string): XrtcClient {
    const { loginUrl, setUrl, getUrl, accountId, apiKey, limits, allowInsecure } = target;
    const { network = {}, sending = {} } = target;
    const urls = { loginUrl, setUrl, getUrl };
    const rest = { accountId, apiKey, allowInsecure, limits, ...this.#counter(target) };
    const client = new XrtcClient({ ...urls, ...rest, ...sending, ...network });
    if (network.tls?.rejectUnauthorized === false) this.#options.onUnverified?.(owner);
    this.#watchUsage(client);
    return client;
  }

  /** A month's requests are those of the account, whatever its key. The file's name tells neither. */
  #counter({
    loginUrl,
    accountId,
  }: Target): Pick<XrtcClientOptions, "counterFile" | "onCounterError"> {
    const { counterFolder, onError } = this.#options;
    if (counterFolder === undefined) return {};
    const whose = JSON.stringify([loginUrl, accountId]);
    const name = createHash("sha256").update(whose).digest("hex").slice(0, 16);
    return { counterFile: join(counterFolder, `requests-${name}.json`), onCounterError: onError };
  }

  #watchUsage(client: XrtcClient): void {
    client.usage.subscribe((usage) => {
      if (usage.level !== "ok") this.#options.onUsage?.(usage);
    });
  }

  /** Ends the clients that nobody uses. */
  endHeld(): void {
    this.#pool.endHeld();
  }

  settled(): Promise<void> {
    return this.#pool.settled();
  }
}

/** What two users of one client have to agree on. */
interface Traits {
  readonly limits: string;
  readonly network: string;
  readonly sending: string;
}

/** Each as text that can be compared; the network as a digest, for there are keys and passwords in it. */
const traitsOf = ({ limits, allowInsecure, network = {}, sending = {} }: Target): Traits => ({
  limits: JSON.stringify(limits ?? "auto"),
  network: digest([network, allowInsecure]),
  sending: JSON.stringify(sending),
});

const read = (fingerprint: string): Traits => JSON.parse(fingerprint) as Traits;

const WORDS: Readonly<Record<keyof Traits, string>> = {
  limits: "limits",
  network: "TLS, proxy or leave for plain HTTP",
  sending: "batching or retries",
};

const differences = (mine: Traits, theirs: Traits): string[] =>
  (Object.keys(WORDS) as (keyof Traits)[])
    .filter((trait) => mine[trait] !== theirs[trait])
    .map((trait) => WORDS[trait]);

const conflictOf = (user: string, what: readonly string[]): XrtcError =>
  new XrtcError(
    "XRTC_OPTIONS",
    `the config node "${user}" uses the same account and key with other ${what.join(" and other ")}`,
  );

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("base64");
