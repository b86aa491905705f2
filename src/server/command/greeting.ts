import type { LimitsPreset } from "../../protocol/limits.js";
import type { Durability } from "../backend/backend.js";
import type { XrtcServerOptions } from "../options.js";
import type { ServeConfig } from "./serve-config.js";

export interface Greeting {
  readonly url: string;
  readonly preset: LimitsPreset;
  readonly durability: Durability;
  readonly options: Pick<XrtcServerOptions, "engine" | "accounts">;
  /** URL of metrics and health, where they are served. */
  readonly admin: string | undefined;
  /** Credentials that were made for this run: this is the one place where they are told. */
  readonly made: ServeConfig["credentials"];
}

/** What the command prints for people when it listens. */
export function greeting({ url, preset, durability, options, admin, made }: Greeting): string {
  const { engine = "memory", accounts } = options;
  const where = engine === "memory" ? "" : `, in ${withoutSecrets(engine)}`;
  return [
    `XRTC server listens on ${url}`,
    `preset ${preset}, durability ${durability}${where}`,
    ...(admin === undefined ? [] : [`metrics and health on ${admin}`]),
    ...(made === undefined
      ? [keysOf(accounts)]
      : [
          "made for this run, and not shown again:",
          `ACCOUNT_ID=${made.accountId}`,
          `API_KEY=${made.apiKey}`,
        ]),
    "",
  ].join("\n");
}

/** A user's name may be half of a secret, too. */
function withoutSecrets(engine: string): string {
  const { protocol, host, pathname } = new URL(engine);
  return `${protocol}//${host}${pathname}`;
}

function keysOf(accounts: XrtcServerOptions["accounts"]): string {
  const keys = accounts
    .map(({ apiKeys = [], apiKeyHashes = [] }) => apiKeys.length + apiKeyHashes.length)
    .reduce((sum, count) => sum + count, 0);
  return `accounts ${accounts.length}, keys ${keys}`;
}
