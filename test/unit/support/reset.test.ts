import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { reset } from "../../support/reset.js";

describe("A reset of a connection", () => {
  for (const hasEnded of [false, true]) {
    it(`closes it ${hasEnded ? "although its end is under way" : "with RST"}`, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const codes: (string | undefined)[] = [];
      client.on("error", ({ code }: NodeJS.ErrnoException) => codes.push(code)).resume();
      const arrived = once(server, "connection");
      await once(client, "connect");
      const [socket] = (await arrived) as [Socket];
      const closed = Promise.all([client, socket].map(untilClosed));
      if (hasEnded) socket.end("x");
      reset(socket);
      await closed;
      if (!hasEnded) assert.deepEqual(codes, ["ECONNRESET"]);
      server.close();
      await once(server, "close");
    });
  }
});

const untilClosed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
