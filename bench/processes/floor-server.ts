/** A process with the least server that takes an item by POST and pushes it to its readers as one chunk each. */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answer, endWithParent } from "./child.js";
import { answerMemory } from "./memory.js";

const readers = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.url === "/receive") {
    request.resume();
    readers.add(response);
    response.once("close", () => readers.delete(response));
    response.flushHeaders();
    return;
  }
  if (request.url === "/hello") {
    request.resume();
    request.on("end", () => response.end("{}"));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    chunks.push(NEWLINE);
    const line = Buffer.concat(chunks);
    // Pushed before the sender is answered, and at once.
    for (const reader of readers) {
      reader.cork();
      reader.write(line);
      reader.uncork();
    }
    response.end("{}");
  });
});

const NEWLINE = Buffer.from("\n");

endWithParent();
answerMemory();
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, () =>
  answer({ port: (server.address() as AddressInfo).port }),
);
