import { Agent, type Dispatcher } from "undici";
import type { Address, Contender } from "./contender.js";

/**
 * The floor: one POST an item, one pushed chunk an item, and nothing else; no session, no JSON, no check. Requests are
 * pipelined on one connection, as the shortest way that keeps their order.
 */
export class BareHttpContender implements Contender {
  readonly unconfirmedMax = 32;
  readonly unreceivedMax = 4_000;
  readonly #sender = new Agent({
    connections: 1,
    pipelining: 64,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  readonly #receiver = new Agent({ connections: 1, headersTimeout: 0, bodyTimeout: 0 });
  readonly #address: Address;

  constructor(address: Address) {
    this.#address = address;
  }

  open(onItem: (payload: string) => void): Promise<void> {
    let rest = "";
    return new Promise((resolve, reject) => {
      this.#receiver.dispatch(this.#request(this.#address.receivePort, "/receive", ""), {
        onRequestStart() {},
        onResponseStart() {
          resolve();
        },
        onResponseData(_controller, chunk) {
          const lines = (rest + chunk.toString("latin1")).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) onItem(line);
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      });
    });
  }

  send(payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sender.dispatch(this.#request(this.#address.sendPort, "/send", payload), {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd() {
          resolve();
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#sender.destroy(), this.#receiver.destroy()]);
  }

  #request(port: number, path: string, body: string): Dispatcher.DispatchOptions {
    const origin = `http://${this.#address.host}:${port}`;
    // What undici pipelines has to be called so; nothing fails here, so nothing is sent again.
    return { origin, path, method: "POST", body, idempotent: true, blocking: false };
  }
}
