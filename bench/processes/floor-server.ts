/** A process with the least server that takes an item by POST and pushes it to a reader as one chunk. */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answer, endWithParent } from "./child.js";

let reader: ServerResponse | undefined;

const server = createServer((request, response) => {
  if (request.url === "/receive") {
    reader = response;
    response.flushHeaders();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    chunks.push(NEWLINE);
    // Pushed before the sender is answered, and at once.
    reader?.cork();
    reader?.write(Buffer.concat(chunks));
    reader?.uncork();
    response.end("{}");
  });
});

const NEWLINE = Buffer.from("\n");

endWithParent();
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => answer({ port: (server.address() as AddressInfo).port }));
