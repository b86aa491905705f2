/** A process that sets items at two servers in turns and reads them: one server has a load that the other has not. */

import { loggedIn, payloadsOf, streamBody } from "../wire/protocols.js";
import { XrtcSetter } from "../setters/xrtc.js";
import { answer, answerQuestions, endWithParent, fail, task } from "./child.js";

/** What one of the two servers has beyond the other. */
export type Load =
  /** Portals with an item each, to which nothing is set. */
  | { readonly kind: "portals"; readonly count: number }
  /** Items go to so many portals in turn, and one reader waits for all of them. */
  | { readonly kind: "spread"; readonly count: number }
  /** Readers of other portals. */
  | { readonly kind: "readers"; readonly count: number }
  /** Items in the ring of the portal itself, for a reader who has not come. */
  | { readonly kind: "queued"; readonly count: number };

export interface GrowthTask {
  readonly ports: readonly [without: number, with_: number];
  readonly load: Load;
  /** Items that both servers keep before anything is measured. */
  readonly keptItems: number;
  readonly payloadBytes: number;
}

/** Sets so many items at one of the servers, and waits until they are read. */
export interface GrowthQuestion {
  readonly at: 0 | 1;
  readonly items: number;
  readonly itemsPerRequest: number;
  readonly requestsMax: number;
}

const { ports, load, keptItems, payloadBytes } = task() as GrowthTask;
const payload = "x".repeat(payloadBytes);
const SLICE_MS_MAX = 30_000;
/** Items of one request while a load is made. */
const LOADING_ITEMS = 500;

class Side {
  readonly #setter: XrtcSetter;
  readonly #port: number;
  readonly #portalIds: readonly string[];
  #next = 0;
  #unread = 0;
  #onRead: () => void = () => undefined;

  constructor(port: number, portals: number) {
    this.#port = port;
    this.#setter = new XrtcSetter(port);
    this.#portalIds = Array.from({ length: portals }, (_, index) => `bench${index}`);
  }

  async open(): Promise<void> {
    await this.#setter.open();
    await this.#listen(this.#portalIds, () => {
      this.#unread -= 1;
      if (this.#unread === 0) this.#onRead();
    });
  }

  async load(): Promise<void> {
    const others = Array.from({ length: load.count }, (_, index) => `other${index}`);
    switch (load.kind) {
      case "portals":
        await this.#setter.setItems(others.map((portalId) => [portalId, payload] as const));
        return;
      case "readers":
        for (const portalId of others) await this.#listen([portalId], () => undefined);
        return;
      case "queued":
        await this.fill(load.count);
        return;
      case "spread":
        return;
      default:
        load satisfies never;
    }
  }

  async fill(items: number): Promise<void> {
    await this.run({ at: 0, items, itemsPerRequest: LOADING_ITEMS, requestsMax: 1 });
  }

  async run({ items, itemsPerRequest, requestsMax }: GrowthQuestion): Promise<void> {
    this.#unread += items;
    let left = items;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= itemsPerRequest;
        await this.#setter.setItems(Array.from({ length: itemsPerRequest }, this.#item));
      }
    };
    await Promise.all(Array.from({ length: requestsMax }, lane));
    if (this.#unread > 0) await this.#read();
  }

  readonly #item = (): readonly [portalId: string, payload: string] => {
    this.#next = (this.#next + 1) % this.#portalIds.length;
    return [this.#portalIds[this.#next] ?? "", payload];
  };

  #read(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`${this.#unread} items were not delivered`));
      const timer = setTimeout(late, SLICE_MS_MAX);
      this.#onRead = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #listen(portalIds: readonly string[], onPayload: () => void): Promise<void> {
    const { socket, cookie } = await loggedIn(this.#port);
    const onLine = (line: string): void => payloadsOf(line, onPayload);
    await socket.stream("/v1/item/get", streamBody(portalIds), cookie, onLine);
  }
}

const sides = [new Side(ports[0], 1), new Side(ports[1], load.kind === "spread" ? load.count : 1)];

async function open(): Promise<object> {
  for (const side of sides) {
    await side.open();
    await side.fill(keptItems);
  }
  await sides[1]?.load();
  return { ready: true };
}

endWithParent();
void open().then(answer, fail);
answerQuestions(async (question): Promise<object> => {
  const asked = question as GrowthQuestion;
  await sides[asked.at]?.run(asked);
  return { done: true };
});
