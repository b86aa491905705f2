import { systemClock } from "../../primitives/clock.js";
import { Redacted } from "../../primitives/redacted.js";
import type { Logger } from "../log.js";
import type { XrtcServerAccount } from "../options.js";
import { checkTls, type XrtcServerTls } from "../tls.js";
import { readAccounts } from "./accounts-file.js";
import type { Config } from "./config-options.js";
import type { ServeConfig } from "./serve-config.js";
import { readText } from "./sources.js";
import { UsageError } from "./usage-error.js";

/** A certificate, and until when it is valid, in UNIX ms. */
export interface ServedTls {
  readonly tls: XrtcServerTls;
  readonly endsAtMs: number;
}

/** The files that a server may take anew while it runs. */
export class ServedFiles {
  readonly #config: Config;
  readonly #credentials: ServeConfig["credentials"];

  /** @throws UsageError when half of what TLS needs is missing */
  constructor({ config, credentials }: Pick<ServeConfig, "config" | "credentials">) {
    this.#config = config;
    this.#credentials = credentials;
    const { tlsCert, tlsKey, tlsPassphraseFile } = config;
    if (tlsKey === undefined && (tlsCert ?? tlsPassphraseFile) !== undefined) {
      throw new UsageError("there is a certificate but no key for it: give --tls-key");
    }
    if (tlsCert === undefined && tlsKey !== undefined) {
      throw new UsageError("there is a TLS key but no certificate: give --tls-cert");
    }
  }

  get paths(): string[] {
    const { accounts, tlsCert, tlsKey, tlsPassphraseFile } = this.#config;
    return [accounts, tlsCert, tlsKey, tlsPassphraseFile].filter((path) => path !== undefined);
  }

  /** Those of the file, and the one of the arguments or variables. @throws UsageError */
  accounts(): XrtcServerAccount[] {
    const { accounts: path } = this.#config;
    const kept = path === undefined ? [] : readAccounts(path);
    const accounts = kept
      .filter(({ keys }) => keys.length > 0)
      .map(({ accountId, keys }) => ({ accountId, apiKeyHashes: keys.map((key) => key.sha256) }));
    const own = this.#credentials;
    if (own === undefined) return accounts;
    const known = accounts.find(({ accountId }) => accountId === own.accountId);
    const others = accounts.filter((account) => account !== known);
    return [...others, { ...known, accountId: own.accountId, apiKeys: [new Redacted(own.apiKey)] }];
  }

  /** @throws UsageError, XrtcError XRTC_OPTIONS */
  tls(): ServedTls | undefined {
    const { tlsCert, tlsKey, tlsPassphraseFile: file } = this.#config;
    if (tlsCert === undefined || tlsKey === undefined) return undefined;
    const passphrase =
      file === undefined
        ? {}
        : { passphrase: new Redacted(firstLine(readText(file, "--tls-passphrase-file"))) };
    const tls = {
      cert: readText(tlsCert, "--tls-cert"),
      key: new Redacted(readText(tlsKey, "--tls-key")),
      ...passphrase,
    };
    return { tls, endsAtMs: checkTls(tls) };
  }

  /** @throws UsageError */
  engine(): string | undefined {
    const { engine, engineUrlFile: file } = this.#config;
    if (file === undefined) return engine;
    if (engine === undefined) return firstLine(readText(file, "--engine-url-file"));
    throw new UsageError("--engine and --engine-url-file name two engines: give one");
  }
}

/** A certificate that ends so soon, in ms, is worth a warning. */
const CERTIFICATE_MS_MIN = 14 * 24 * 3_600_000;

/** Warns of a certificate that is over, or soon will be. @returns when, in UNIX ms */
export function warnOfEnd({ endsAtMs }: ServedTls, logger: Logger): number {
  if (endsAtMs - systemClock.wallNow() < CERTIFICATE_MS_MIN) {
    const until = new Date(endsAtMs).toISOString();
    logger.write("warn", "certificate-ends", `the certificate is valid until ${until}`);
  }
  return endsAtMs;
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").trim();
