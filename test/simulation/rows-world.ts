/** Clients in virtual time: before a script, or before the real server's core. */

import assert from "node:assert/strict";
import { XrtcClient } from "../../src/client/client.js";
import type { XrtcClientOptions } from "../../src/client/options.js";
import { XrtcError } from "../../src/errors.js";
import { ServerCore } from "../../src/server/core.js";
import { resolveOptions, type XrtcServerOptions } from "../../src/server/options.js";
import type { CounterStore } from "../../src/session/month-budget.js";
import { TransportError, type Transport } from "../../src/transport/transport.js";
import { ScriptedTransport, type Answer, type Script } from "../support/scripted-transport.js";
import type { Post } from "./history.js";
import { SimNetwork } from "./network.js";
import { fork } from "./seeded.js";
import { SimClock } from "./sim-clock.js";

const ACCOUNT_ID = "AC0000000000000001";
const API_KEY = "k".repeat(32);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const options = { accountId: ACCOUNT_ID, apiKey: API_KEY, environment: {} } as const;

interface Ports {
  readonly counterStore?: CounterStore;
}

/** A client whose service is a script. */
export function scripted(script: Script, more: Omit<XrtcClientOptions, "ports"> & Ports = {}) {
  const clock = new SimClock();
  const view = clock.view();
  const times: number[] = [];
  const transport = new ScriptedTransport((request, index) => {
    times.push(clock.now);
    return script(request, index);
  });
  const { counterStore, ...others } = more;
  const ports = { clock: view, random: fork(1, 1), transport, counterStore };
  const client = new XrtcClient({
    ...options,
    baseUrl: "http://localhost/v1",
    limits: "hosted",
    ...others,
    ports,
  });
  return { clock, view, transport, client, times };
}

/** A client and the real server's core with nothing but a short way between them. */
export function connected(
  serverOptions: Partial<XrtcServerOptions> = {},
  wrap: (network: Transport) => Transport = (network) => network,
  clientOptions: Omit<XrtcClientOptions, "ports"> = {},
) {
  const clock = new SimClock();
  const view = clock.view();
  const serverView = clock.view();
  const core = new ServerCore(
    resolveOptions({
      accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }],
      clock: serverView,
      ...serverOptions,
    }),
  );
  const posts: Post[] = [];
  const lines: string[] = [];
  const network = new SimNetwork({
    seed: 1,
    client: 0,
    clock: view,
    posts,
    tell: (line) => lines.push(line),
    naps: () => 0,
    host: {
      clock: serverView,
      isUp: () => true,
      handle: ({ url, headers, body }, _cookie, reply) => {
        const request = { path: new URL(url).pathname, headers: { host: "localhost", ...headers } };
        core.handle(
          { method: "POST", ...request, body: Buffer.from(body), peer: "127.0.0.1" },
          reply,
        );
      },
    },
  });
  const ports = { clock: view, random: fork(1, 2), transport: wrap(network) };
  const preset = serverOptions.preset ?? "local";
  const client = new XrtcClient({
    ...options,
    baseUrl: "http://localhost/v1",
    limits: preset,
    ...clientOptions,
    ports,
  });
  const run = (ms: number): Promise<boolean> => clock.runUntil(clock.now + ms);
  const count = (kind: Post["kind"]): number => posts.filter((post) => post.kind === kind).length;
  /** Sets one item and lets it arrive. */
  const set = async (payload: string): Promise<void> => {
    const done = client.setItems([{ portalId: "p", payload }]);
    await Promise.all([done, run(SECOND)]);
  };
  const got: string[] = [];
  const read = (): void => {
    const subscription = client.subscribe({ portals: ["p"] });
    void (async () => {
      for await (const { payload } of subscription) got.push(payload);
    })();
  };
  const close = async (): Promise<void> => {
    const closing = client.close();
    await run(SECOND);
    await closing;
    await run(MINUTE);
    void core.close();
    assert.equal(clock.timerCount, 0);
  };
  return { clock, view, serverView, client, network, posts, run, count, set, read, got, close };
}

export const isLogin = ({ url }: { readonly url: string }): boolean => url.endsWith("/auth/login");
export const refusal = (): Error => new TransportError("connect", false, new Error("refused"));
export const DENIED: Answer = { status: 401, body: ["{}"] };
export const OK: Answer = { body: ['{"servertimestamp":1700000000000}'] };
export const EMPTY: Answer = { body: ["{}\n"] };

/** The greatest number of times in any window. */
export function busiest(times: readonly number[], windowMs: number): number {
  let most = 0;
  for (const [index, from] of times.entries()) {
    most = Math.max(most, times.slice(index).filter((time) => time < from + windowMs).length);
  }
  return most;
}

export async function closed({ client, clock }: ReturnType<typeof scripted>): Promise<void> {
  const closing = client.close();
  await clock.runUntil(clock.now + SECOND);
  await closing;
  assert.equal(clock.timerCount, 0);
}

export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "ok",
    (error: unknown) => (error instanceof XrtcError ? error.code : String(error)),
  );
