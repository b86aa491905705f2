/** The requests of the dialogs, as a browser sends them to the runtime under test. */

import helper from "node-red-node-test-helper";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface AdminAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** As it came, to look for what should not be there. */
  readonly text: string;
  readonly headers: Headers;
}

/** One request to the web server of the flow that runs. */
export async function ask(
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<AdminAnswer> {
  const { _httpAdmin: app } = helper as unknown as { readonly _httpAdmin: RequestListener };
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    return await request(`http://127.0.0.1:${port}/${path}`, body, headers, signal);
  } finally {
    server.close();
    await once(server, "close");
  }
}

/** GET without a body, else POST. */
export async function request(
  url: string,
  body?: object | string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<AdminAnswer> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      connection: "close",
      ...(typeof body === "object" ? { "content-type": "application/json" } : {}),
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return {
    status: response.status,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    text,
    headers: response.headers,
  };
}
