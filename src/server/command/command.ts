import { isXrtcError } from "../../errors.js";
import { systemClock } from "../../primitives/clock.js";
import { runAccountCommand } from "./account-command.js";
import { type Arguments, parseArguments } from "./arguments.js";
import { serve, type ServePorts } from "./serve.js";
import { accountsPathOf, serveConfigOf, type Variables } from "./serve-config.js";
import { ACCOUNT_USAGE, USAGE } from "./usage.js";
import { UsageError } from "./usage-error.js";

export interface CommandPorts extends ServePorts {
  readonly environment: Variables;
}

/** What the process ends with. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/**
 * The command `xrtc-server`: serves until it is told to stop, or changes a file of accounts.
 *
 * @returns the process's exit code: 1 when an address cannot be had, 2 when the command was called or configured
 *   wrongly, so that another attempt would end the same way
 */
export async function runServerCommand(
  argv: readonly string[],
  ports: CommandPorts,
): Promise<number> {
  try {
    await run(parseArguments(argv), ports);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof UsageError) {
      ports.stderr(`xrtc-server: ${error.message}\nTry xrtc-server --help.\n`);
      return EXIT.usage;
    }
    if (!isXrtcError(error)) throw error;
    ports.stderr(`xrtc-server: ${error.message}\n${error.remedy}\n`);
    return error.code === "XRTC_SERVER_ADDRESS" ? EXIT.failed : EXIT.usage;
  }
}

async function run(command: Arguments, ports: CommandPorts): Promise<void> {
  const { environment, stdout, version } = ports;
  switch (command.kind) {
    case "help":
      stdout(USAGE);
      return;
    case "accountHelp":
      stdout(ACCOUNT_USAGE);
      return;
    case "version":
      stdout(`${version}\n`);
      return;
    case "account": {
      const path = accountsPathOf(command.given, environment);
      runAccountCommand(command.action, path, command.given, { clock: systemClock, stdout });
      return;
    }
    case "serve":
      await serve(serveConfigOf(command.given, environment), ports);
      return;
    default:
      return command satisfies never;
  }
}
