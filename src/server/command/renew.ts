import { asError, printable } from "../../errors.js";
import type { Logger } from "../log.js";
import type { XrtcServer } from "../server.js";
import { type ServedFiles, warnOfEnd } from "./served-files.js";

/**
 * Reads accounts and certificate again and gives them to a server that runs. A file that cannot be used changes nothing:
 * the server keeps what it has, and the log says why.
 *
 * @returns until when the certificate is valid, in UNIX ms; undefined when it was not taken
 */
export async function renew(
  server: XrtcServer,
  files: ServedFiles,
  logger: Logger,
): Promise<number | undefined> {
  await attempt(logger, "accounts", async () => {
    const accounts = files.accounts();
    await server.renewAccounts(accounts);
    const fields = { accounts: accounts.length };
    logger.write("info", "accounts-read", "the accounts were read again", fields);
    return undefined;
  });
  return attempt(logger, "certificate", async () => {
    const served = files.tls();
    if (served === undefined) return undefined;
    server.renewTls(served.tls);
    logger.write("info", "certificate-read", "the certificate was read again");
    return warnOfEnd(served, logger);
  });
}

async function attempt<T>(
  logger: Logger,
  what: string,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    const reason = printable(asError(thrown).message);
    logger.write("error", `${what}-refused`, `what was there before stays: ${reason}`);
    return undefined;
  }
}
