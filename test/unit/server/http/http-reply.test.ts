import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { ChunkFrames } from "../../../../src/server/http/chunk-frames.js";
import { HttpReply } from "../../../../src/server/http/http-reply.js";

/** An answer that has begun, on a real socket. */
async function withReply(
  test: (reply: HttpReply, response: ServerResponse, client: Socket) => Promise<void>,
): Promise<void> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  const watcher = { waiting: () => undefined, flowing: () => undefined };
  const reply = new HttpReply(response, { watcher, frames: new ChunkFrames() });
  reply.head(200, { "content-type": "text/plain" });
  try {
    await test(reply, response, client);
  } finally {
    client.destroy();
    server.close();
  }
}

/** How often the socket hands something to the system from now on. */
function countedCalls({ socket }: ServerResponse): { count: number } {
  const calls = { count: 0 };
  const handle = (socket as unknown as { _handle: Record<string, (...rest: unknown[]) => unknown> })
    ._handle;
  for (const name of ["writev", "writeBuffer", "writeLatin1String", "writeUtf8String"]) {
    const write = handle[name];
    assert(write !== undefined, `this Node.js has no ${name}`);
    handle[name] = (...rest) => {
      calls.count += 1;
      return write.apply(handle, rest);
    };
  }
  return calls;
}

describe("an answer over HTTP", () => {
  it("hands a line to the system in one call, the first with its head, whatever its length", async () => {
    await withReply(async (reply, response, client) => {
      const calls = countedCalls(response);
      const lines = [10, 10, 16_384, 16_385, 60_000].map((length) => Buffer.alloc(length, "x"));
      for (const [index, line] of lines.entries()) {
        reply.write(line);
        assert.equal(calls.count, index + 1);
      }
      reply.end();
      let received = "";
      for await (const chunk of client) {
        received += String(chunk);
        if (received.endsWith("\r\n0\r\n\r\n")) break;
      }
      const chunks = lines.map((line) => `${line.length.toString(16)}\r\n${line.toString()}\r\n`);
      assert.equal(
        received.split("\r\n\r\n").slice(1).join("\r\n\r\n"),
        `${chunks.join("")}0\r\n\r\n`,
      );
    });
  });

  it("writes nothing when its client is gone, and says so once to each who wants to know", async () => {
    await withReply(async (reply, response, client) => {
      const closed: string[] = [];
      reply.onClose(() => closed.push("first"));
      reply.onClose(() => closed.push("second"));
      reply.flush();
      response.once("close", () => reply.closed());
      client.resetAndDestroy();
      await once(response, "close");
      assert.equal(reply.write(Buffer.from("late\n")), true);
      reply.closed();
      reply.onClose(() => closed.push("late"));
      assert.deepEqual(closed, ["first", "second", "late"]);
    });
  });
});
