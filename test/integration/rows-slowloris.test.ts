import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { Authority } from "../support/certificates.js";
import { type RawClient, portOf, Stage } from "./server-raw.js";

/** What is about ten seconds, or a minute, is a fraction of a second here. */
const QUICK = {
  headersTimeoutMs: 300,
  requestTimeoutMs: 400,
  stallTimeoutMs: 300,
  keepAliveTimeoutMs: 300,
  checkIntervalMs: 20,
} as const;
const OF_EACH = 20;
const DRIP_MS = 25;
const LOGIN = ["POST /v1/auth/login HTTP/1.1", "Host: localhost"] as const;

/** What each sort says at first, and then again and again. */
const SORTS: Readonly<Record<string, readonly [first: string, drip: string]>> = {
  "says nothing": ["", ""],
  "drips empty lines": ["", "\r\n"],
  "drips its first line": ["POST /v1/", "a"],
  "drips its headers": [`${LOGIN.join("\r\n")}\r\n`, "X-A: b\r\n"],
  "drips one header": [`${LOGIN.join("\r\n")}\r\nX-A: `, "b"],
  "drips its body": [[...LOGIN, "Content-Length: 9999", "", ""].join("\r\n"), "x"],
  "drips its chunks": [[...LOGIN, "Transfer-Encoding: chunked", "", ""].join("\r\n"), "1\r\nx\r\n"],
  "drips a chunk's extension": [
    [...LOGIN, "Transfer-Encoding: chunked", "", "1;"].join("\r\n"),
    "a",
  ],
  "drips its trailers": [
    [...LOGIN, "Transfer-Encoding: chunked", "", "0", ""].join("\r\n"),
    "X-A: b\r\n",
  ],
  "waits for leave to go on": [
    [...LOGIN, "Content-Length: 2", "Expect: 100-continue", "", ""].join("\r\n"),
    "",
  ],
  "is answered, and says nothing more": [
    [...LOGIN, "Content-Length: 2", "", "{}"].join("\r\n"),
    "",
  ],
  "is answered, and drips empty lines": [
    [...LOGIN, "Content-Length: 2", "", "{}"].join("\r\n"),
    "\r\n",
  ],
  "is answered, and drips another request": [
    [...LOGIN, "Content-Length: 2", "", "{}POST /v1/"].join("\r\n"),
    "a",
  ],
  "is refused, and drips on": [
    [...LOGIN, "Host: localhost", "Content-Length: 9999", "", ""].join("\r\n"),
    "x",
  ],
};

const setBody = (payload: string): string =>
  JSON.stringify({ items: [{ portalid: "P", payload }] });

/** Sets one item after the other until told to stop. @returns how many were answered */
async function setOnAndOn(
  client: RawClient,
  cookie: string,
  isOver: () => boolean,
): Promise<number> {
  let answered = 0;
  while (!isOver()) {
    client.received = "";
    client.post("/item/set", setBody("x"), cookie);
    await client.until(/^HTTP\/1\.1 200 [^]*"servertimestamp":\d+\}$/);
    answered += 1;
  }
  return answered;
}

describe("Slow attackers", function () {
  this.timeout(30_000);

  it("A9: slowloris of every sort is gone in about ten seconds, and others are served", async () => {
    await using stage = await Stage.open({ bounds: QUICK });
    const owner = await stage.client();
    const cookie = await owner.login();
    const attackers: (readonly [RawClient, string])[] = [];
    for (const [first, drip] of Object.values(SORTS)) {
      for (let count = 0; count < OF_EACH; count += 1) {
        const client = await stage.client();
        client.socket.write(first);
        attackers.push([client, drip]);
      }
    }
    const dripping = setInterval(() => {
      for (const [{ socket, isClosed }, drip] of attackers) {
        if (!isClosed && socket.writable) socket.write(drip);
      }
    }, DRIP_MS);
    try {
      let isOver = false;
      const setting = setOnAndOn(owner, cookie, () => isOver);
      await Promise.all(attackers.map(([{ closed }]) => closed));
      isOver = true;
      assert.ok((await setting) > 0);
    } finally {
      clearInterval(dripping);
    }
    while (stage.server.stats.sockets > 1) await setImmediate();
  });

  it("A9: readers that never read are gone, and cost no more than their buffers", async () => {
    await using stage = await Stage.open({
      bounds: QUICK,
      // Not the get's own end is to be what frees it.
      limits: { getTimeoutMs: 3_600_000, ringItemsMax: 10 },
    });
    const owner = await stage.client();
    const cookie = await owner.login();
    const stream = '{"portals":[{"portalid":"P"}],"mode":"stream","schedule":"FIFO"}';
    const everything = '{"portals":[{"portalid":"P","servertimestamp":1}],"schedule":"FIFO"}';
    owner.post("/item/set", setBody("x".repeat(60_000)), cookie);
    await owner.until(/"servertimestamp":\d+\}$/);
    const deaf: RawClient[] = [];
    for (let count = 0; count < 5; count += 1) {
      const [streaming, asking] = [await stage.client(), await stage.client()];
      streaming.socket.pause();
      asking.socket.pause();
      streaming.post("/item/get", stream, cookie);
      // A hundred megabytes of answers, if they were all made.
      for (let ask = 0; ask < 300; ask += 1) asking.post("/item/get", everything, cookie);
      deaf.push(streaming, asking);
    }
    const isGone = (): boolean => stage.server.stats.sockets === 1;
    while (!isGone()) {
      owner.received = "";
      owner.post("/item/set", setBody("x".repeat(60_000)), cookie);
      await owner.until(/^HTTP\/1\.1 200 [^]*"servertimestamp":\d+\}$/);
      const bytes = process.memoryUsage().arrayBuffers;
      assert.ok(bytes < 200_000_000, `${bytes} bytes`);
    }
    assert.equal(stage.server.stats.waitingGets, 0);
    for (const client of deaf) client.destroy();
  });

  it("A9: a TLS handshake that drips, or stops half-way, is gone, and others are served", async () => {
    const authority = new Authority();
    const tls = authority.issue("127.0.0.1");
    await using stage = await Stage.open({ bounds: QUICK, tls });
    const hello = Buffer.from(
      `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${"Z".repeat(600)}`,
      "latin1",
    );
    const drippers = await Promise.all(Array.from({ length: OF_EACH }, () => stage.client()));
    const halfway = await Promise.all(Array.from({ length: OF_EACH }, () => stage.client()));
    for (const { socket } of halfway) socket.write(hello.subarray(0, 100));
    let sent = 0;
    const dripping = setInterval(() => {
      for (const { socket } of drippers)
        if (socket.writable) socket.write(hello.subarray(sent, sent + 1));
      sent += 1;
    }, DRIP_MS);
    // Those whose handshake is done are bound like all others.
    const secured = connectTls({
      port: portOf(stage.server),
      host: "127.0.0.1",
      ca: authority.cert,
    });
    const isClosed = new Promise((resolve) => {
      secured.once("close", resolve);
    });
    secured.on("error", () => secured.destroy()).resume();
    secured.write("POST /v1/");
    try {
      await Promise.all([...drippers, ...halfway].map(({ closed }) => closed));
      await isClosed;
    } finally {
      clearInterval(dripping);
    }
    while (stage.server.stats.sockets > 0) await setImmediate();
  });
});
