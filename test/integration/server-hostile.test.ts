import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { ALICE, type RawClient, Stage, statusesOf } from "./server-raw.js";

const LIST = '{"portals":[]}';
/** Timeouts scaled down: what is about ten seconds is a fraction of one here. */
const QUICK = {
  headersTimeoutMs: 300,
  requestTimeoutMs: 400,
  checkIntervalMs: 20,
} as const;

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `X-${at}: y`);

const streamOf = (portalid: string): string =>
  JSON.stringify({ portals: [{ portalid }], mode: "stream", schedule: "FIFO" });

/** Whether the server still serves somebody else. */
async function servesOthers(stage: Stage): Promise<void> {
  const client = await stage.client();
  client.post("/auth/login", "{}");
  await client.until(/"errorcode":30/);
}

describe("a hostile client of the local server", () => {
  it("gets nowhere with a cookie from another address, nor with a forged X-Forwarded-For (A3)", async function () {
    // Only Linux answers on all of 127.0.0.0/8 without being told to.
    if (process.platform !== "linux") this.skip();
    await using stage = await Stage.open();
    const owner = await stage.client();
    const cookie = await owner.login();
    const thief = await stage.client("127.0.0.2");
    thief
      .post("/item/get", LIST, cookie)
      .post("/item/get", LIST, cookie, "X-Forwarded-For: 127.0.0.1");
    await thief.until(/10011[^]*10011/);
    assert.deepEqual(statusesOf(thief), [401, 401]);
  });

  it("is cut off when its body is over the bound, in one piece or in chunks, after an answer (A5)", async () => {
    await using stage = await Stage.open({ limits: { requestBytesMax: 1_000 } });
    const announced = await stage.client();
    // So much is under way when the answer comes that closing at once would reset the connection.
    announced.post("/auth/login", "x".repeat(3_000_000));
    await announced.until(/^HTTP\/1\.1 400 [^]*"errorcode":20/);
    await announced.closed;
    assert.equal(announced.wasReset, false);
    const chunked = await stage.client();
    chunked.send(
      "POST /v1/auth/login HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "",
      "",
    );
    for (let chunk = 0; chunk < 3; chunk += 1) chunked.send("1f4", "x".repeat(500), "");
    chunked.send("0", "", "");
    await chunked.until(/^HTTP\/1\.1 400 [^]*"errorcode":20/);
    await chunked.closed;
    const atBound = await stage.client();
    atBound.post("/auth/login", `"${"x".repeat(998)}"`);
    await atBound.until(/"errorcode":30/);
  });

  it("is not let in with a huge body by Expect (A5)", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    client.send(
      "POST /v1/auth/login HTTP/1.1",
      "Host: localhost",
      "Expect: 100-continue",
      "Content-Length: 99999999",
      "",
      "",
    );
    await client.until(/^HTTP\/1\.1 400 [^]*"errorcode":20/);
  });

  it("cannot make the server read an endless body (A5)", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    client.send(
      "POST /v1/auth/login HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "",
      "",
    );
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const pour = (): void => {
      while (!client.isClosed && client.socket.write(chunk));
    };
    client.socket.on("drain", pour);
    pour();
    await client.closed;
    await servesOthers(stage);
  });

  it("does not hold a body that never ends, whose length was a lie (A5, A9)", async () => {
    await using stage = await Stage.open({ bounds: QUICK });
    const client = await stage.client();
    client.send("POST /v1/auth/login HTTP/1.1", "Host: localhost", "Content-Length: 500", "", "{");
    await client.closed;
    assert.match(client.received, /^HTTP\/1\.1 408 |^$/);
    await servesOthers(stage);
  });

  it("gets its monstrous documents refused before they cost anything (A6)", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    const cookie = await client.login();
    const refusedWith = async (path: string, body: string, code: number): Promise<void> => {
      client.received = "";
      client.post(path, body, cookie);
      await client.until(new RegExp(`"errorcode":${code}.*\\}$`));
    };
    const million = 1_048_000;
    await refusedWith("/item/set", "[".repeat(million), 20);
    await refusedWith("/item/set", '{"a":'.repeat(million / 5), 20);
    await refusedWith("/item/set", `{${"a:{".repeat(1_000)}`, 20);
    const keys = Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(",");
    await refusedWith("/item/set", `{${keys}}`, 30);
    await refusedWith("/item/set", `{"items":[${"{},".repeat(100_000)}{}]}`, 30);
    await refusedWith("/item/get", `{"portals":[${"{},".repeat(100_000)}{}]}`, 30);
    await refusedWith("/item/set", `{"items":[${"{},".repeat(9_999)}{}]}`, 30);
  });

  it("is gone when it says nothing, drips its headers, or drips its body (A9)", async () => {
    await using stage = await Stage.open({ bounds: QUICK });
    const [silent, headers, body] = [
      await stage.client(),
      await stage.client(),
      await stage.client(),
    ];
    const drips: RawClient[] = [headers, body];
    headers.send("POST /v1/auth/login HTTP/1.1", "Host: localhost", "");
    body.send("POST /v1/auth/login HTTP/1.1", "Host: localhost", "Content-Length: 99999", "", "");
    const drip = setInterval(() => {
      for (const client of drips) {
        if (!client.isClosed) client.socket.write(client === headers ? "X-A: b\r\n" : "x");
      }
    }, 10);
    try {
      await Promise.all([silent.closed, headers.closed, body.closed]);
    } finally {
      clearInterval(drip);
    }
    await servesOthers(stage);
  });

  it("is gone when it never reads, and takes nothing from the next reader (A9)", async () => {
    await using stage = await Stage.open({
      bounds: { stallTimeoutMs: 200, checkIntervalMs: 20 },
      // Not the get's own end is to be what frees it.
      limits: { getTimeoutMs: 3_600_000 },
    });
    const [reader, writer] = [await stage.client(), await stage.client()];
    const cookie = await reader.login();
    reader.socket.pause();
    reader.post("/item/get", streamOf("P"), cookie);
    const body = JSON.stringify({ items: [{ portalid: "P", payload: "x".repeat(60_000) }] });
    // More than the system's own buffers hold.
    for (let set = 0; set < 300; set += 1) {
      writer.received = "";
      writer.post("/item/set", body, cookie);
      await writer.until(/servertimestamp/);
    }
    while (stage.server.stats.waitingGets > 0) await setImmediate();
    await servesOthers(stage);
    const { itemsDelivered } = stage.server.stats;
    assert.ok(itemsDelivered < 300, `${itemsDelivered} items were queued`);
    writer.received = "";
    writer.post("/item/get", '{"portals":[{"portalid":"P"}],"schedule":"FIFO"}', cookie);
    const [, seq] = await writer.until(/"seq":(\d+)\}\]\}\n$/);
    assert.equal(Number(seq), itemsDelivered + 1);
  });

  it("gets its headers refused when they are too large or too many", async () => {
    await using stage = await Stage.open();
    const large = await stage.client();
    large.post("/auth/login", "{}", `X-Large: ${"x".repeat(8_192)}`);
    await large.until(/^HTTP\/1\.1 431 [^]*"errorgroup":2/);
    const client = await stage.client();
    // Host and Content-Length are two.
    client.post("/auth/login", "{}", ...many(62));
    await client.until(/"errorcode":30/);
    client.post("/auth/login", "{}", ...many(63));
    await client.until(/HTTP\/1\.1 431 /);
    const flood = await stage.client();
    flood.post("/auth/login", "{}", ...many(700));
    await flood.until(/^HTTP\/1\.1 431 /);
  });

  it("gets its targets, methods and hosts refused", async () => {
    await using stage = await Stage.open();
    const forms: readonly [readonly string[], number][] = [
      [["POST http://localhost/v1/auth/login HTTP/1.1", "Host: localhost"], 400],
      [["POST /v1/auth/login HTTP/1.1", "Host: localhost", "Host: evil.example"], 400],
      [["POST /v1/auth/login HTTP/1.1", "Host: localhost", "Host: localhost"], 400],
      [["POST /v1/auth/login HTTP/1.1"], 400],
      [["POST /v1/auth/login HTTP/1.1", "Host: evil.example"], 403],
      [["POST /v1/auth/login HTTP/1.1", "Host: localhost", "Origin: http://evil.example"], 403],
      [["POST /v1/auth/login HTTP/1.1", "Host: localhost", "Sec-Fetch-Site: cross-site"], 403],
      [
        [
          "GET /v1/item/get HTTP/1.1",
          "Host: localhost",
          "Connection: Upgrade",
          "Upgrade: websocket",
        ],
        400,
      ],
      [["CONNECT localhost:443 HTTP/1.1", "Host: localhost"], 405],
      [["BREW /v1/auth/login HTTP/1.1", "Host: localhost"], 400],
      [
        [
          "POST /v1/auth/login HTTP/1.1",
          "Host: localhost",
          "Content-Length: 1",
          "Content-Length: 2",
        ],
        400,
      ],
      [
        [
          "POST /v1/auth/login HTTP/1.1",
          "Host: localhost",
          "Content-Length: 1",
          "Transfer-Encoding: chunked",
        ],
        400,
      ],
      [["nonsense"], 400],
    ];
    for (const [lines, status] of forms) {
      const client = await stage.client();
      client.send(...lines, "", "");
      await client.until(/\r\n\r\n/);
      assert.deepEqual(statusesOf(client), [status], lines.join(" | "));
      await client.until(/"errorgroup":2,/);
    }
    await servesOthers(stage);
  });

  it("gets no second answer into a stream by what it sends after it", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    const cookie = await client.login();
    client.post("/item/get", streamOf("P"), cookie);
    await client.until(/\r\n\r\n$/);
    client.send("nonsense", "", "");
    await client.closed;
    assert.deepEqual(statusesOf(client), [200]);
    assert.equal(stage.server.stats.waitingGets, 0);
  });

  it("has only so many sockets, alone and with others", async () => {
    const bounds = { socketsPerAddressMax: 3, socketsMax: 4 };
    await using stage = await Stage.open({ bounds });
    const clients = [await stage.client(), await stage.client(), await stage.client()];
    await (
      await stage.client()
    ).closed;
    assert.equal(
      clients.some(({ isClosed }) => isClosed),
      false,
    );
    clients[0]?.destroy();
    await clients[0]?.closed;
    while (stage.server.stats.sockets > 2) await setImmediate();
    await servesOthers(stage);
    assert.equal(stage.server.stats.sockets, 3);
  });

  it("learns nothing of a key from what it gets back", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    client.post(
      "/auth/login",
      JSON.stringify({ accountid: ALICE.accountId, apikey: "z".repeat(32) }),
    );
    await client.until(/"errorcode":35/);
    assert.equal(client.received.includes(ALICE.apiKey), false);
    assert.equal(/x-powered-by|server:/i.test(client.received), false);
  });
});
