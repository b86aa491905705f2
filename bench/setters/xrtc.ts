import { Agent, type Dispatcher } from "undici";
import { PORTAL_ID } from "../subject.js";
import { loggedIn, setBody } from "../wire/protocols.js";
import type { Setter } from "./setter.js";

/** One connection of undici, on which requests follow one another without waiting for their answers. */
export class XrtcSetter implements Setter {
  readonly #origin: string;
  readonly #port: number;
  readonly #agent = new Agent({
    connections: 1,
    pipelining: 64,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  #cookie = "";

  constructor(port: number) {
    this.#port = port;
    this.#origin = `http://127.0.0.1:${port}`;
  }

  async open(): Promise<void> {
    const { socket, cookie } = await loggedIn(this.#port);
    this.#cookie = cookie.slice("cookie: ".length).trimEnd();
    await socket.close();
  }

  set(payloads: readonly string[]): Promise<unknown> {
    return this.setItems(payloads.map((payload) => [PORTAL_ID, payload] as const));
  }

  setItems(items: readonly (readonly [portalId: string, payload: string])[]): Promise<unknown> {
    return this.#post("/v1/item/set", setBody(items));
  }

  async stored(): Promise<number | undefined> {
    const { items } = (await this.#post("/v1/item/get", '{"portals":[]}')) as {
      items?: readonly { readonly seq?: number }[];
    };
    return items?.[0]?.seq;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #post(path: string, body: string): Promise<unknown> {
    const request: Dispatcher.DispatchOptions = {
      origin: this.#origin,
      path,
      method: "POST",
      headers: { cookie: this.#cookie },
      body,
      // What undici pipelines has to be called so; nothing fails here, so nothing is sent again.
      idempotent: true,
      blocking: false,
    };
    return new Promise((resolve, reject) => {
      let status = 0;
      let text = "";
      this.#agent.dispatch(request, {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          text += chunk.toString("latin1");
        },
        onResponseEnd() {
          if (status === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path} was answered ${status}`));
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      });
    });
  }
}
