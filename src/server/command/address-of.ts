import { UsageError } from "./usage-error.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * An address and a port, such as `127.0.0.1:9464` or `[::1]:9464`.
 *
 * @throws UsageError
 */
export function addressOf(text: string, name: string): Address {
  const match = /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<host>[\w.-]+)):(?<port>\d{1,5})$/i.exec(text);
  const { six, host = six, port } = match?.groups ?? {};
  if (host === undefined || Number(port) > 65_535) {
    throw new UsageError(`${name}: expected an address and a port, got "${text}"`);
  }
  return { host, port: Number(port) };
}
