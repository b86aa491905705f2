import { XrtcClient, type XrtcClientOptions } from "../../src/index.js";
import { XrtcServer, type XrtcServerOptions } from "../../src/server/index.js";

/** Credentials for tests: they open nothing but a server that a test started. */
export const ACCOUNT_ID = "AC0000000000000001";
export const API_KEY = "0123456789abcdefghijklmnopqrstuv";

export const credentials = { accountId: ACCOUNT_ID, apiKey: API_KEY, environment: {} } as const;

export interface Service extends AsyncDisposable {
  readonly server: XrtcServer;
  readonly baseUrl: string;
  /** A client of this server; it is closed with it. */
  client(options?: XrtcClientOptions): XrtcClient;
}

/** A real server on a free port of this machine. */
export async function startService(options: Partial<XrtcServerOptions> = {}): Promise<Service> {
  const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
  const server = new XrtcServer({ port: 0, accounts, ...options });
  const baseUrl = await server.listen();
  const clients: XrtcClient[] = [];
  return {
    server,
    baseUrl,
    client(clientOptions) {
      const client = new XrtcClient({ ...credentials, baseUrl, ...clientOptions });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    },
  };
}

/** The first `count` of an async iterable. */
export async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= count) break;
  }
  return taken;
}

/**
 * What is set before this is old to whoever reads from now on. Where items are not numbered, that is a matter of two
 * clocks, which are compared no better than a request takes.
 */
export async function grownOld(ms = 200): Promise<void> {
  const until = Date.now() + ms;
  while (Date.now() < until) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Resolves when an observable has a value of that kind. */
export function reached<T extends { readonly kind: string }, K extends T["kind"]>(
  observable: { subscribe(listener: (value: T) => void): () => void },
  kind: K,
): Promise<Extract<T, { kind: K }>> {
  let end: () => void;
  return new Promise<Extract<T, { kind: K }>>((resolve) => {
    end = observable.subscribe((value) => {
      if (value.kind === kind) resolve(value as Extract<T, { kind: K }>);
    });
  }).finally(() => end());
}
