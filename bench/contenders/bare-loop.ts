import type { Cookies } from "../../src/transport/cookies.js";
import type { Transport } from "../../src/transport/transport.js";
import { ACCOUNT_ID, API_KEY, fromBuild, PORTAL_ID } from "../subject.js";
import type { Address, Contender } from "./contender.js";

import type * as TransportModule from "../../src/transport/undici-transport.js";
import type * as CookiesModule from "../../src/transport/cookies.js";
import type * as Codec from "../../src/protocol/codec.js";
import type * as Ndjson from "../../src/protocol/ndjson.js";

/** Bytes of a request, as the SDK's batches. */
const BATCH_BYTES_MAX = 65_536;

/**
 * The SDK's transport and codec without anything that keeps a promise: no queue with a policy, no answer an item that
 * could be an error, no retry, no key, no order, no place in the portal, no budget, no deadline, no session but one.
 * What waits when an answer comes is the next request. It loses and repeats as soon as anything fails.
 */
export class BareLoopContender implements Contender {
  readonly unconfirmedMax = 4_000;
  readonly unreceivedMax = 4_000;
  readonly #address: Address;
  readonly #transport: Transport;
  readonly #cookies: Cookies;
  readonly #codec: typeof Codec;
  readonly #splitter: Ndjson.LineSplitter;
  readonly #ended = new AbortController();
  #waiting: { readonly encoded: string; readonly resolve: () => void }[] = [];
  #sending = false;
  #reading: Promise<void> | undefined;

  constructor(address: Address, { root }: { readonly root: string }) {
    this.#address = address;
    this.#transport = new (
      fromBuild(root, "transport/undici-transport") as typeof TransportModule
    ).UndiciTransport();
    this.#cookies = new (fromBuild(root, "transport/cookies") as typeof CookiesModule).Cookies();
    this.#codec = fromBuild(root, "protocol/codec") as typeof Codec;
    this.#splitter = new (fromBuild(root, "protocol/ndjson") as typeof Ndjson).LineSplitter(
      1_048_576,
    );
  }

  async open(onItem: (payload: string) => void): Promise<void> {
    const { port } = this.#address;
    const login = await this.#post(
      port,
      "/v1/auth/login",
      this.#codec.encodeLogin(ACCOUNT_ID, API_KEY),
    );
    await drained(login.body);
    this.#cookies.store(this.#url(port, "/v1/item/set"), login.setCookies);
    await new Promise<void>((resolve, reject) => {
      this.#reading = this.#read(onItem, resolve).catch((error: unknown) => {
        reject(error);
        if (!this.#ended.signal.aborted) throw error;
      });
    });
  }

  send(payload: string): Promise<void> {
    return new Promise((resolve) => {
      const encoded = this.#codec.encodeItem({ portalId: PORTAL_ID, payload });
      this.#waiting.push({ encoded, resolve });
      if (this.#sending) return;
      this.#sending = true;
      queueMicrotask(() => {
        void this.#pump();
      });
    });
  }

  async close(): Promise<void> {
    this.#ended.abort(new Error("closed"));
    await this.#reading;
    await this.#transport.close();
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      let bytes = 0;
      let count = 0;
      for (const { encoded } of this.#waiting) {
        bytes += encoded.length + 1;
        if (bytes > BATCH_BYTES_MAX) break;
        count += 1;
      }
      const batch = this.#waiting.slice(0, count);
      this.#waiting = this.#waiting.slice(count);
      const body = this.#codec.encodeSet(batch.map(({ encoded }) => encoded));
      const { sendPort } = this.#address;
      const response = await this.#post(sendPort, "/v1/item/set", body);
      await drained(response.body);
      if (response.status !== 200) throw new Error(`a set was answered with ${response.status}`);
      for (const { resolve } of batch) resolve();
    }
    this.#sending = false;
  }

  async #read(onItem: (payload: string) => void, onBegin: () => void): Promise<void> {
    const body = this.#codec.encodeGet({
      portals: [{ portalId: PORTAL_ID }],
      mode: "stream",
      schedule: "FIFO",
      cutoffMs: -1,
    });
    while (!this.#ended.signal.aborted) {
      const { receivePort } = this.#address;
      const response = await this.#post(receivePort, "/v1/item/get", body, "stream");
      onBegin();
      for await (const chunk of response.body) {
        for (const line of this.#splitter.push(chunk)) {
          for (const { payload } of this.#codec.decodeLine(line)?.items ?? []) onItem(payload);
        }
      }
    }
  }

  #url(port: number, path: string): string {
    return `http://${this.#address.host}:${port}${path}`;
  }

  #post(
    port: number,
    path: string,
    body: string,
    lane: "command" | "stream" = "command",
  ): ReturnType<Transport["post"]> {
    const url = this.#url(port, path);
    const cookie = this.#cookies.header(url);
    return this.#transport.post({
      url,
      headers: { "content-type": "application/json", ...(cookie === undefined ? {} : { cookie }) },
      body,
      lane,
      signal: this.#ended.signal,
    });
  }
}

async function drained(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) void chunk;
}
