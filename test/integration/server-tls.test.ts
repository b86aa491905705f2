import { strict as assert } from "node:assert";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { isXrtcError, sha256Of, XrtcServer } from "../../src/server/index.js";
import { Authority, type Certificate } from "../support/certificates.js";
import { ACCOUNT_ID, API_KEY, startService, take } from "../support/service.js";

const authority = new Authority();
const ca = authority.cert;

/** The login's status and cookies, and who answered it. */
async function login(baseUrl: string): Promise<{ cookies: string[]; serialNumber: string }> {
  const call = request(`${baseUrl}/auth/login`, { method: "POST", ca, agent: false });
  call.end(JSON.stringify({ accountid: ACCOUNT_ID, apikey: API_KEY }));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
  response.resume();
  await once(response, "close");
  assert.equal(response.statusCode, 200);
  return { cookies: response.headers["set-cookie"] ?? [], serialNumber };
}

async function settled(server: XrtcServer, sockets: number): Promise<void> {
  while (server.stats.sockets !== sockets) await setImmediate();
}

const refused =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    isXrtcError(error, "XRTC_OPTIONS") &&
    pattern.test(error.message) &&
    !/PRIVATE|secret/.test(error.message);

const accountOf = (count: number): { accountId: string; apiKeyHashes: string[] } => ({
  accountId: ACCOUNT_ID,
  apiKeyHashes: Array.from({ length: count }, () => sha256Of(API_KEY)),
});

describe("a local server with TLS", () => {
  const tls = authority.issue("127.0.0.1");

  it("serves the whole API over HTTPS, with cookies that never go over plain HTTP", async () => {
    await using service = await startService({ tls, limits: { loginIntervalMsMin: 0 } });
    assert.match(service.baseUrl, /^https:\/\/127\.0\.0\.1:\d+\/v1$/);
    const { cookies } = await login(service.baseUrl);
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) {
      assert.match(cookie, /; Path=\/v1; HttpOnly; SameSite=Strict; Secure$/);
    }
    const client = service.client({ tls: { ca } });
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    await client.setItems([{ portalId: "hall", payload: "x".repeat(50_000) }]);
    const [item] = await take(items, 1);
    assert.equal(item?.payload.length, 50_000);
  });

  it("ends its streams cleanly and leaves no socket behind", async () => {
    const service = await startService({ tls, bounds: { closeTimeoutMs: 60_000 } });
    const client = service.client({ tls: { ca } });
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    await client.setItems([{ portalId: "hall", payload: "1" }]);
    await take(items, 1);
    const { sockets } = service.server.stats;
    const silent = connect(Number(new URL(service.baseUrl).port), "127.0.0.1");
    await settled(service.server, sockets + 1);
    const gone = once(silent, "close");
    // A client that stays, and a connection whose handshake never began: neither holds it up.
    await service.server.close();
    await gone;
    assert.equal(service.server.stats.sockets, 0);
    await service[Symbol.asyncDispose]();
  });

  it("breaks off who speaks plain HTTP, garbage or nothing, and goes on", async () => {
    const bounds = { headersTimeoutMs: 1_000, requestTimeoutMs: 1_000, checkIntervalMs: 50 };
    await using service = await startService({ tls, bounds, limits: { loginIntervalMsMin: 0 } });
    const port = Number(new URL(service.baseUrl).port);
    for (const words of ["POST /v1/auth/login HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001xxxx", ""]) {
      const socket = connect(port, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
      socket.on("error", () => socket.destroy());
      socket.write(words);
      await once(socket, "close");
      assert.equal(/HTTP|\{/.test(answer), false, words);
    }
    await login(service.baseUrl);
    await settled(service.server, 0);
  });

  it("counts the sockets of an address from their first byte on", async () => {
    await using service = await startService({ tls, bounds: { socketsPerAddressMax: 2 } });
    const port = Number(new URL(service.baseUrl).port);
    const silent = connect(port, "127.0.0.1");
    const spoken = connectTls({ port, host: "127.0.0.1", ca });
    await Promise.all([once(silent, "connect"), once(spoken, "secureConnect")]);
    await settled(service.server, 2);
    const third = connect(port, "127.0.0.1");
    third.on("error", () => third.destroy());
    await once(third, "close");
    spoken.destroy();
    await settled(service.server, 1);
    silent.destroy();
    await settled(service.server, 0);
  });

  it("takes another certificate while it runs", async () => {
    await using service = await startService({ tls, limits: { loginIntervalMsMin: 0 } });
    const before = await login(service.baseUrl);
    service.server.renewTls(authority.issue("127.0.0.1"));
    const after = await login(service.baseUrl);
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.throws(
      () => service.server.renewTls({ cert: tls.cert, key: authority.issue("x").key }),
      refused(/does not belong/),
    );
    assert.equal((await login(service.baseUrl)).serialNumber, after.serialNumber);
    await using plain = await startService();
    assert.throws(() => plain.server.renewTls(tls), refused(/made without/));
  });

  it("says what is wrong with a certificate, and shows none of it", () => {
    const other = authority.issue("127.0.0.1");
    const encrypted = createPrivateKey(tls.key)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret1" })
      .toString();
    const wrong: readonly [Certificate & { passphrase?: string }, RegExp][] = [
      [{ cert: "secret", key: tls.key }, /^tls\.cert: .*no certificate/],
      [{ cert: tls.cert, key: "secret" }, /^tls\.key: .*no private key/],
      [{ cert: tls.cert, key: other.key }, /^tls\.key: .*does not belong/],
      [{ cert: tls.cert, key: encrypted }, /^tls\.passphrase: .*no passphrase/],
      [{ cert: tls.cert, key: encrypted, passphrase: "secret2" }, /cannot be decrypted/],
    ];
    for (const [given, pattern] of wrong) {
      assert.throws(() => new XrtcServer({ accounts: [], tls: given }), refused(pattern));
    }
    const right = { cert: tls.cert, key: encrypted, passphrase: "secret1" };
    assert.doesNotThrow(() => new XrtcServer({ accounts: [], tls: right }));
  });

  it("may listen beyond this machine, but not with an account that anybody knows", async () => {
    const sample = { accountId: "AC0987654321012345", apiKeys: [API_KEY] };
    assert.throws(
      () => new XrtcServer({ host: "0.0.0.0", accounts: [sample], tls }),
      (error) => isXrtcError(error, "XRTC_SERVER_INSECURE") && /sample/.test(error.message),
    );
    await using server = new XrtcServer({ host: "0.0.0.0", port: 0, accounts: [], tls });
    assert.match(await server.listen(), /^https:\/\/127\.0\.0\.1:/);
  });
});

describe("a local server that knows only the hashes of keys", () => {
  it("lets those keys in and no others", async () => {
    const apiKeyHashes = [sha256Of(API_KEY).toUpperCase()];
    await using service = await startService({
      accounts: [{ accountId: ACCOUNT_ID, apiKeyHashes }],
    });
    await service.client().open();
    const wrong = service.client({ apiKey: "f".repeat(32) });
    await assert.rejects(wrong.open(), (error) => isXrtcError(error, "XRTC_CREDENTIALS_REFUSED"));
  });

  it("refuses what is no hash, and an account with no key or too many", () => {
    assert.doesNotThrow(() => new XrtcServer({ accounts: [accountOf(10)] }));
    assert.throws(() => new XrtcServer({ accounts: [accountOf(0)] }), refused(/1 to 10 keys/));
    assert.throws(() => new XrtcServer({ accounts: [accountOf(11)] }), refused(/1 to 10 keys/));
    assert.throws(
      () => new XrtcServer({ accounts: [{ accountId: ACCOUNT_ID, apiKeyHashes: ["abc"] }] }),
      refused(/accounts\.0\.apiKeyHashes\.0: .*64 hexadecimal/),
    );
  });
});
