import { strict as assert } from "node:assert";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { isXrtcError } from "../../src/errors.js";
import { XrtcServer } from "../../src/server/index.js";
import { ALICE, portOf, Stage, statusesOf } from "./server-raw.js";

const run = promisify(execFile);
const FORM = "Content-Type: application/x-www-form-urlencoded";
const LOGIN = JSON.stringify({ accountid: ALICE.accountId, apikey: ALICE.apiKey });
const SET = '{items:[{"portalid":"exampleportal","payload":"examplepayload"}]}';
const GET = '{portals:[{"portalid":"exampleportal"}]}';
const closed = (error: unknown): boolean => isXrtcError(error, "XRTC_CLOSED");
const hasCurl = spawnSync("curl", ["--version"]).status === 0;

const streamOf = (portalid: string): string =>
  JSON.stringify({ portals: [{ portalid }], mode: "stream", schedule: "FIFO" });

const payloadsOf = (lines: string): string[] =>
  lines
    .trimEnd()
    .split("\n")
    .flatMap((line) => (JSON.parse(line) as { items: { payload: string }[] }).items)
    .map(({ payload }) => payload);

/** What a body in chunks holds. */
function unchunked(body: Buffer): string {
  const end = body.indexOf("\r\n");
  const length = Number.parseInt(body.toString("latin1", 0, end), 16);
  assert.equal(body.toString("latin1", end + 2 + length, end + 4 + length), "\r\n");
  if (length === 0) return "";
  const content = body.toString("utf8", end + 2, end + 2 + length);
  return content + unchunked(body.subarray(end + 4 + length));
}

const setOf = (portalid: string, payload: string): string =>
  JSON.stringify({ items: [{ portalid, payload }] });

describe("the documented lines", () => {
  it("work against the local server as curl sends them", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    client.post("/auth/login", LOGIN, FORM);
    const [, session] = await client.until(/^set-cookie: (JSESSIONID=\w+);[^]*\}$/im);
    const [, balancer] = await client.until(/^set-cookie: (AWSALBAPP-0=[\w-]+);/im);
    const cookie = `Cookie: ${balancer}; ${session}`;
    client.received = "";
    client.post("/item/set", SET, FORM, cookie);
    await client.until(/\{"servertimestamp":\d{13}\}$/);
    client.received = "";
    client.post("/item/get", GET, FORM, cookie);
    await client.until(
      /\{"items":\[\{"portalid":"exampleportal","payload":"examplepayload",.*\}\]\}/,
    );
    assert.deepEqual(statusesOf(client), [200]);
  });

  it("work against the local server with curl itself", async function () {
    if (!hasCurl) this.skip();
    await using stage = await Stage.open();
    const folder = await mkdtemp(join(tmpdir(), "xrtc-curl-"));
    try {
      const jar = join(folder, "cookies");
      const base = `http://localhost:${portOf(stage.server)}/v1`;
      const curl = async (path: string, body: string): Promise<string> => {
        const args = ["-sS", "--ipv4", "--noproxy", "*", "-b", jar, "-c", jar, "-d", body];
        return (await run("curl", [...args, base + path])).stdout;
      };
      assert.match(await curl("/auth/login", LOGIN), /^\{"servertimestamp":\d{13}/);
      assert.match(await curl("/item/set", SET), /^\{"servertimestamp":\d{13}\}$/);
      assert.match(await curl("/item/get", GET), /"payload":"examplepayload"/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the local server over HTTP", () => {
  it("sends a stream's items while the response is open, each in a chunk of its own", async () => {
    await using stage = await Stage.open();
    const [reader, writer] = [await stage.client(), await stage.client()];
    const cookie = await reader.login();
    reader.post("/item/get", streamOf("P"), cookie);
    await reader.until(/\r\n\r\n$/);
    assert.match(reader.received, /^transfer-encoding: chunked\r$/im);
    for (const payload of ["one", "zwö", "three"]) {
      writer.post("/item/set", setOf("P", payload), cookie);
      const [line = ""] = await reader.until(
        new RegExp(`\\r\\n[0-9a-f]+\\r\\n.*${payload}.*\\n\\r\\n$`),
      );
      const [, length = "", text = ""] = /^\r\n([0-9a-f]+)\r\n(.*\n)\r\n$/.exec(line) ?? [];
      assert.equal(Number.parseInt(length, 16), Buffer.byteLength(text));
      assert.equal((JSON.parse(text) as { items: object[] }).items.length, 1);
    }
    assert.equal(stage.server.stats.waitingGets, 1);
  });

  it("gives many readers the same line, short or long, each in the form that its client knows", async () => {
    await using stage = await Stage.open({ limits: { loginIntervalMsMin: 0, getTimeoutMs: 400 } });
    const readers = await Promise.all(Array.from({ length: 5 }, () => stage.client()));
    for (const reader of readers) {
      const cookie = await reader.login();
      reader.post("/item/get", streamOf("P"), cookie);
      await reader.until(/\r\n\r\n$/);
    }
    const old = await stage.client();
    const cookie = await old.login();
    const body = streamOf("P");
    old.send("POST /v1/item/get HTTP/1.0", "Host: localhost", cookie);
    old.send("", `Content-Length: ${body.length}`, "", body);
    await old.until(/\r\n\r\n$/);
    const writer = await stage.client();
    const payloads = ["é", "x".repeat(30_000), "y".repeat(100), "z".repeat(16_384)];
    for (const payload of payloads) writer.post("/item/set", setOf("P", payload), cookie);
    for (const reader of readers) {
      const [answer] = await reader.until(/\r\n\r\n[^]*\r\n0\r\n\r\n$/);
      assert.deepEqual(payloadsOf(unchunked(Buffer.from(answer.slice(4)))), payloads);
    }
    const [answer] = await old.until(/\r\n\r\n[^]*z\}?"[^]*\n$/);
    await old.closed;
    assert.deepEqual(payloadsOf(answer.slice(4)), payloads);
  });

  it("keeps the connection for the next request after a stream's end", async () => {
    await using stage = await Stage.open({ limits: { getTimeoutMs: 20 } });
    const client = await stage.client();
    const cookie = await client.login();
    client.post("/item/get", streamOf("P"), cookie);
    await client.until(/\r\n3\r\n\{\}\n\r\n0\r\n\r\n$/);
    client.received = "";
    client.post("/item/get", '{"portals":[]}', cookie);
    await client.until(/\r\n\r\n\{\}\n$/);
  });

  it("takes bodies in chunks, and those announced by Expect", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    client.send(
      "POST /v1/auth/login HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "",
      "",
    );
    for (const part of [LOGIN.slice(0, 1), LOGIN.slice(1, 9), LOGIN.slice(9)]) {
      client.send(part.length.toString(16), part, "");
    }
    client.send("0", "", "");
    await client.until(/HTTP\/1\.1 200 OK[^]*\}$/);
    const other = await stage.client();
    other.post("/auth/login", "", "Content-Type: text/plain").received = "";
    await other.until(/"errorcode":20/);
    other.received = "";
    other.send(
      "POST /v1/auth/login HTTP/1.1",
      "Host: localhost",
      "Expect: 100-continue",
      `Content-Length: ${LOGIN.length}`,
      "",
      "",
    );
    await other.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    other.send(LOGIN);
    await other.until(/"errorcode":45/);
  });

  it("keeps the order of pipelined sets, and answers each in its place", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    const cookie = await client.login();
    const order = [2, 1, 3];
    for (const number of order) {
      const headers = ["XRTC-Producer: A", `XRTC-Sequence: ${number}`];
      client.post("/item/set", setOf("P", `p${number}`), cookie, ...headers);
    }
    client.post("/item/get", '{"portals":[{"portalid":"P"}],"schedule":"FIFO"}', cookie);
    await client.until(/"p1".*"p2".*"p3"/);
    assert.deepEqual(statusesOf(client), [200, 200, 200, 200]);
  });

  it("gives pipelined streams their lines in turn, and forgets both when the connection goes", async () => {
    await using stage = await Stage.open({ limits: { getTimeoutMs: 3_600_000 } });
    const [reader, writer] = [await stage.client(), await stage.client()];
    const cookie = await reader.login();
    reader.post("/item/get", streamOf("P"), cookie).post("/item/get", streamOf("Q"), cookie);
    await reader.until(/\r\n\r\n/);
    writer.post("/item/set", setOf("Q", "x"), cookie);
    await writer.until(/servertimestamp/);
    assert.equal(stage.server.stats.waitingGets, 2);
    reader.destroy();
    await reader.closed;
    while (stage.server.stats.waitingGets > 0) await setImmediate();
  });
});

describe("an XrtcServer", () => {
  const accounts = [{ accountId: ALICE.accountId, apiKeys: [ALICE.apiKey] }];

  it("has a URL while it listens, and only then", async () => {
    const server = new XrtcServer({ port: 0, accounts });
    assert.throws(() => server.url, closed);
    const [url, again] = await Promise.all([server.listen(), server.listen()]);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    assert.equal(again, url);
    assert.equal(server.url, url);
    await Promise.all([server.close(), server.close()]);
    assert.throws(() => server.url, closed);
    await assert.rejects(server.listen(), closed);
  });

  it("says that a port is taken, and can be closed all the same", async () => {
    await using stage = await Stage.open();
    const second = new XrtcServer({ port: portOf(stage.server), accounts });
    await assert.rejects(second.listen(), (error) => isXrtcError(error, "XRTC_SERVER_ADDRESS"));
    await second.close();
  });

  it("says that an address is not this machine's", async () => {
    const server = new XrtcServer({ port: 0, host: "192.0.2.1", allowInsecure: true, accounts });
    await assert.rejects(server.listen(), (error) => isXrtcError(error, "XRTC_SERVER_ADDRESS"));
    await server.close();
  });

  it("can be closed before it listens and while it is about to", async () => {
    const never = new XrtcServer({ port: 0, accounts });
    await never.close();
    const about = new XrtcServer({ port: 0, accounts });
    const listening = about.listen();
    await about.close();
    assert.match(await listening, /^http:/);
  });

  it("counts what it does", async () => {
    await using stage = await Stage.open();
    const client = await stage.client();
    const cookie = await client.login();
    client.post("/item/set", SET, cookie).post("/item/get", GET, cookie);
    await client.until(/examplepayload/);
    assert.deepEqual(stage.server.stats, {
      requests: 3,
      logins: 1,
      itemsSet: 1,
      itemsDelivered: 1,
      itemsOverrun: 0,
      sessions: 1,
      waitingGets: 0,
      sockets: 1,
    });
  });
});
