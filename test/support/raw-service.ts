import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { XrtcClient, type XrtcClientOptions } from "../../src/index.js";
import { credentials } from "./service.js";

export interface RawRequest {
  readonly call: "login" | "set" | "get";
  /** Its place among those of its call, from 0. */
  readonly index: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers one request, byte by byte if need be. */
export type Script = (request: RawRequest, response: ServerResponse) => void;

export interface RawService extends AsyncDisposable {
  readonly origin: string;
  readonly requests: readonly RawRequest[];
  client(options?: XrtcClientOptions): XrtcClient;
}

/** A service that says exactly what a test tells it to; what the script leaves unanswered is answered as it should be. */
export async function rawService(script: Script): Promise<RawService> {
  const requests: RawRequest[] = [];
  const clients: XrtcClient[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const call = (request.url ?? "").split("/").at(-1) as RawRequest["call"];
      const index = requests.filter((other) => other.call === call).length;
      const raw = { call, index, headers: request.headers, body };
      requests.push(raw);
      script(raw, response);
      if (!response.headersSent && !response.writableEnded && call !== "get") {
        response.end('{"servertimestamp":1700000000000}');
      }
    });
    request.on("error", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    requests,
    client(options) {
      const client = new XrtcClient({ ...credentials, baseUrl: `${origin}/v1`, ...options });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
