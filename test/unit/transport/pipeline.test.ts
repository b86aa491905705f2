import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { Abort } from "../../../src/primitives/signal.js";
import { TransportError } from "../../../src/transport/transport.js";
import { UndiciTransport } from "../../../src/transport/undici-transport.js";

const answer = (body: string, head = ""): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${head}\r\n${body}`;

/** A server that does with the requests of its connections as it is told, and a transport to it. */
async function setUp(onRequest: (socket: Socket, body: string, connection: number) => void) {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      // A body here is one letter.
      for (let end = text.indexOf("\r\n\r\n"); end !== -1 && text.length > end + 4;) {
        const body = text.charAt(end + 4);
        text = text.slice(end + 5);
        seen.push(`${connection}${body}`);
        onRequest(socket, body, connection);
        end = text.indexOf("\r\n\r\n");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const transport = new UndiciTransport();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const post = (body: string, signal = new Abort().signal) =>
    transport.post({ url, headers: {}, body, lane: "ordered", signal });
  const close = async (): Promise<void> => {
    await transport.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { seen, post, close };
}

const isLost = (thrown: unknown): boolean =>
  thrown instanceof TransportError && thrown.failure === "broken" && thrown.sent;

/** The first makes the connection; what follows at once is on it together. */
const opened = async (post: (body: string) => Promise<{ discard(): void }>): Promise<void> => {
  (await post("o")).discard();
};

describe("Ordered requests over one connection", () => {
  it("follow each other without waiting for answers", async () => {
    let waiting = 0;
    const { seen, post, close } = await setUp((socket, body) => {
      if (body === "o") socket.write(answer("{}"));
      else if ((waiting += 1) === 3) socket.write(answer("a") + answer("b") + answer("c"));
    });
    await opened(post);
    const answers = await Promise.all(["a", "b", "c"].map((body) => post(body)));
    const bodies: string[] = [];
    for (const { body } of answers) {
      for await (const chunk of body) bodies.push(Buffer.from(chunk).toString());
    }
    assert.deepEqual(bodies, ["a", "b", "c"]);
    assert.deepEqual(seen, ["1o", "1a", "1b", "1c"]);
    await close();
  });

  for (const [how, end] of Object.entries({
    "is reset": (socket: Socket) => socket.resetAndDestroy(),
    ends: (socket: Socket) => socket.end(),
    "ends with an answer that says so": (socket: Socket) =>
      socket.end(answer("a", "connection: close\r\n")),
  })) {
    it(`are all lost when it ${how}, and none is sent again`, async () => {
      const { seen, post, close } = await setUp((socket, body) => {
        if (body === "c") end(socket);
        else if (body === "o" || body === "d") socket.write(answer("{}"));
      });
      await opened(post);
      const [a, ...rest] = await Promise.allSettled(["a", "b", "c"].map((body) => post(body)));
      if (how.includes("answer")) assert.equal(a?.status, "fulfilled");
      else assert.ok(a?.status === "rejected" && isLost(a.reason));
      for (const each of rest) assert.ok(each.status === "rejected" && isLost(each.reason));
      await post("d");
      assert.deepEqual(
        seen.map((each) => each.slice(1)),
        ["o", "a", "b", "c", "d"],
      );
      await close();
    });
  }

  it("are all lost when one of them is given up, and none is sent again", async () => {
    const reason = new Error("given up");
    const abort = new Abort();
    const { seen, post, close } = await setUp((socket, body) => {
      if (body === "c") abort.abort(reason);
      else if (body === "o" || body === "d") socket.write(answer("{}"));
    });
    await opened(post);
    const ends = await Promise.allSettled([post("a"), post("b", abort.signal), post("c")]);
    const reasons = ends.map((each) => each.status === "rejected" && (each.reason as unknown));
    assert.ok(isLost(reasons[0]) && isLost(reasons[2]));
    assert.equal(reasons[1], reason);
    await post("d");
    assert.equal(seen.filter((each) => each.endsWith("a")).length, 1);
    assert.equal(seen.length, 5);
    await close();
  });

  it("outlive an answer that nobody reads", async () => {
    let waiting = 0;
    const { seen, post, close } = await setUp((socket, body) => {
      if (body === "o") socket.write(answer("{}"));
      else if ((waiting += 1) === 2) socket.write(answer("a") + answer("b"));
    });
    await opened(post);
    const [a, b] = [post("a"), post("b")];
    (await a).discard();
    assert.equal((await b).status, 200);
    assert.deepEqual(seen, ["1o", "1a", "1b"]);
    await close();
  });
});
