import type { SetItemsOptions, Subscription, XrtcClient } from "../../src/index.js";
import { ACCOUNT_ID, API_KEY, fromBuild, PORTAL_ID } from "../subject.js";
import type { Address, Contender } from "./contender.js";

import type * as Sdk from "../../src/index.js";

export interface SdkOptions {
  /** Folder of the package that is measured. */
  readonly root: string;
  /** Requests in a second that the client allows itself. @defaultValue the preset's */
  readonly requestsPerSecondMax?: number;
  /** Bytes of a request. @defaultValue the preset's */
  readonly requestBytesMax?: number;
  /** @defaultValue the SDK's */
  readonly level?: SetItemsOptions["level"];
  /** @defaultValue 4000: less than the server's ring holds for a reader */
  readonly unconfirmedMax?: number;
  /** Awaits each item before the next: a caller that does not know of batches. @defaultValue false */
  readonly oneByOne?: boolean;
}

/** This package: one client sends by the ordinary call with one item, and subscribes. */
export class SdkContender implements Contender {
  readonly unconfirmedMax: number;
  /** A reader that falls further behind than the ring is long loses items, and is told so. */
  readonly unreceivedMax = 4_000;
  readonly #client: XrtcClient;
  readonly #setOptions: SetItemsOptions;
  #subscription: Subscription | undefined;
  #reading: Promise<void> | undefined;

  constructor({ host, port, sendPort, receivePort }: Address, options: SdkOptions) {
    const { root, requestsPerSecondMax, requestBytesMax, level } = options;
    const { unconfirmedMax = 4_000, oneByOne = false } = options;
    const { XrtcClient: Client } = fromBuild(root, "index") as typeof Sdk;
    this.unconfirmedMax = oneByOne ? 1 : unconfirmedMax;
    this.#setOptions = level === undefined ? {} : { level };
    this.#client = new Client({
      accountId: ACCOUNT_ID,
      apiKey: API_KEY,
      environment: {},
      loginUrl: `http://${host}:${port}/v1/auth/login`,
      setUrl: `http://${host}:${sendPort}/v1/item/set`,
      getUrl: `http://${host}:${receivePort}/v1/item/get`,
      limits: {
        ...(requestsPerSecondMax === undefined ? {} : { requestsPerSecondMax }),
        ...(requestBytesMax === undefined ? {} : { requestBytesMax }),
      },
    });
  }

  async open(onItem: (payload: string) => void): Promise<void> {
    const gaps: string[] = [];
    const subscription = this.#client.subscribe({
      portals: [PORTAL_ID],
      onGap: ({ reason }) => gaps.push(reason),
    });
    this.#subscription = subscription;
    this.#reading = (async () => {
      for await (const item of subscription) onItem(item.payload);
      if (gaps.length > 0) throw new Error(`the subscription announced gaps: ${gaps.join(", ")}`);
    })();
    await subscription.ready();
  }

  send(payload: string): Promise<unknown> {
    return this.#client.setItems([{ portalId: PORTAL_ID, payload }], this.#setOptions);
  }

  async close(): Promise<void> {
    await this.#subscription?.close();
    await this.#client.close();
    await this.#reading;
  }
}
