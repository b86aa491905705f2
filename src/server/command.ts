import { randomBytes } from "node:crypto";
import { isXrtcError } from "../errors.js";
import {
  type Command,
  type CommandArguments,
  type CommandSources,
  parseCommand,
  USAGE,
  UsageError,
} from "./command-arguments.js";
import { newAccountId, newApiKey } from "./new-credentials.js";
import type { LogRecord } from "./log.js";
import { XrtcServer } from "./server.js";

export interface CommandPorts extends CommandSources {
  readonly version: string;
  /** Aborted when the command shall end. */
  readonly stop: AbortSignal;
  stdout(text: string): void;
  stderr(text: string): void;
}

/** What the process ends with. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/**
 * The command `xrtc-server`: serves until it is told to stop.
 *
 * @returns the process's exit code: 1 when the address cannot be had, 2 when the command was called wrongly
 */
export async function runServerCommand(
  argv: readonly string[],
  ports: CommandPorts,
): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(argv, ports);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    ports.stderr(`xrtc-server: ${error.message}\nTry xrtc-server --help.\n`);
    return EXIT.usage;
  }
  switch (command.kind) {
    case "help":
      ports.stdout(USAGE);
      return EXIT.ok;
    case "version":
      ports.stdout(`${ports.version}\n`);
      return EXIT.ok;
    case "serve":
      return serve(command.arguments, ports);
    default:
      return command satisfies never;
  }
}

async function serve(given: CommandArguments, ports: CommandPorts): Promise<number> {
  const credentials = given.credentials ?? {
    accountId: newAccountId(randomBytes),
    apiKey: newApiKey(randomBytes),
  };
  try {
    const server = newServer(given, credentials, ports);
    const url = await server.listen();
    ports.stdout(greeting(url, server));
    if (given.credentials === undefined) ports.stdout(madeCredentials(credentials));
    await stopped(ports.stop);
    await server.close();
    return EXIT.ok;
  } catch (error) {
    if (!isXrtcError(error)) throw error;
    ports.stderr(`xrtc-server: ${error.message}\n${error.remedy}\n`);
    return error.code === "XRTC_SERVER_ADDRESS" ? EXIT.failed : EXIT.usage;
  }
}

type Credentials = NonNullable<CommandArguments["credentials"]>;

function newServer(given: CommandArguments, credentials: Credentials, ports: CommandPorts) {
  const { host, port, preset, allowInsecure } = given;
  return new XrtcServer({
    accounts: [{ accountId: credentials.accountId, apiKeys: [credentials.apiKey] }],
    allowInsecure,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(preset === undefined ? {} : { preset }),
    log: (record: LogRecord) => ports.stderr(`${JSON.stringify(record)}\n`),
  });
}

const greeting = (url: string, server: XrtcServer): string =>
  `XRTC server listens on ${url}\npreset ${server.preset}, durability ${server.durability}\n`;

const madeCredentials = ({ accountId, apiKey }: Credentials): string =>
  `made for this run, and not shown again:\nACCOUNT_ID=${accountId}\nAPI_KEY=${apiKey}\n`;

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
}
