import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { type RawClient, Stage, statusesOf } from "./server-raw.js";

const STREAM = '{"portals":[{"portalid":"P"}],"mode":"stream","schedule":"FIFO"}';
const WATCH = '{"portals":[{"portalid":"P"}],"mode":"watch"}';
const SET = '{"items":[{"portalid":"P","payload":"last"}]}';
const LIMITS = { loginIntervalMsMin: 0, requestsPerSecondMax: 100_000 };

const clientsOf = (stage: Stage, count: number): Promise<RawClient[]> =>
  Promise.all(Array.from({ length: count }, () => stage.client()));

async function readersOf(stage: Stage, count: number, get: string): Promise<RawClient[]> {
  const clients = await clientsOf(stage, count);
  await Promise.all(
    clients.map(async (client) => client.post("/item/get", get, await client.login())),
  );
  return clients;
}

/** Lets the server go on until it has so many gets waiting. */
async function waiting(stage: Stage, count: number): Promise<void> {
  while (stage.server.stats.waitingGets < count) await setImmediate();
}

describe("a local server that closes", () => {
  it("ends 200 streams with a proper last chunk, each with what it had (V3)", async () => {
    // Not force is to be what closes them.
    await using stage = await Stage.open({ limits: LIMITS, bounds: { closeTimeoutMs: 60_000 } });
    const readers = await readersOf(stage, 200, STREAM);
    await waiting(stage, 200);
    const writer = await stage.client();
    writer.post("/item/set", SET, await writer.login());
    await writer.until(/servertimestamp/);
    await stage.server.close();
    await Promise.all(readers.map(({ closed }) => closed));
    for (const { received, wasReset } of readers) {
      assert.match(received, /"payload":"last".*\n\r\n0\r\n\r\n$/);
      assert.equal(wasReset, false);
    }
    assert.equal(stage.server.stats.sockets, 0);
    assert.equal(stage.server.stats.waitingGets, 0);
  });

  it("answers watches and streams that got nothing with {}", async () => {
    await using stage = await Stage.open({ limits: LIMITS });
    const [[watch], [stream]] = [
      await readersOf(stage, 1, WATCH),
      await readersOf(stage, 1, STREAM),
    ];
    await waiting(stage, 2);
    await stage.server.close();
    await Promise.all([watch?.closed, stream?.closed]);
    assert.match(watch?.received ?? "", /\r\n\r\n\{\}\n$/);
    assert.match(stream?.received ?? "", /\r\n\r\n3\r\n\{\}\n\r\n0\r\n\r\n$/);
  });

  it("answers ordered sets that still wait, so that nobody hangs", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    const cookie = await client.login();
    client.post("/item/set", SET, cookie, "XRTC-Producer: A", "XRTC-Sequence: 2");
    while (stage.server.stats.requests < 2) await setImmediate();
    await stage.server.close();
    await client.closed;
    assert.deepEqual(statusesOf(client), [400]);
  });

  it("does not wait for connections that are idle, half a request, or never read", async () => {
    await using stage = await Stage.open({ bounds: { closeTimeoutMs: 200 } });
    const [idle, half, deaf] = await clientsOf(stage, 3);
    assert.ok(idle !== undefined && half !== undefined && deaf !== undefined);
    const cookie = await idle.login();
    half.send(
      "POST /v1/item/get HTTP/1.1",
      "Host: localhost",
      "Content-Length: 9",
      cookie,
      "",
      "{",
    );
    deaf.socket.pause();
    deaf.post("/item/get", STREAM, cookie);
    await waiting(stage, 1);
    const payload = JSON.stringify({ items: [{ portalid: "P", payload: "x".repeat(60_000) }] });
    for (let set = 0; set < 200; set += 1) {
      idle.received = "";
      idle.post("/item/set", payload, cookie);
      await idle.until(/servertimestamp/);
    }
    await stage.server.close();
    await Promise.all([idle.closed, half.closed]);
    assert.equal(stage.server.stats.sockets, 0);
    deaf.destroy();
  });
});

describe("a thousand readers over sockets (V13)", () => {
  it("each get the one item of one set, once", async function () {
    this.timeout(60_000);
    await using stage = await Stage.open({ limits: LIMITS });
    const readers = await readersOf(stage, 1_000, STREAM);
    await waiting(stage, 1_000);
    const writer = await stage.client();
    writer.post("/item/set", SET, await writer.login());
    await Promise.all(readers.map((reader) => reader.until(/"last"/)));
    await stage.server.close();
    for (const { received } of readers) assert.equal(received.split('"last"').length, 2);
    assert.equal(stage.server.stats.itemsDelivered, 1_000);
  });
});
