import { strict as assert } from "node:assert";
import { inspect } from "node:util";
import {
  finishRegistration,
  isXrtcError,
  startRegistration,
  XrtcClient,
  type XrtcClientOptions,
} from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { ConnectProxy } from "../support/connect-proxy.js";
import { credentials, type Service, startService, take } from "../support/service.js";
import { TlsFront } from "../support/tls-front.js";

const portOf = ({ baseUrl }: Service): number => Number(new URL(baseUrl).port);

/** Sets and streams, so that every kind of connection is used. */
async function exchange(options: XrtcClientOptions): Promise<void> {
  await using client = new XrtcClient({ ...credentials, ...options });
  const reader = client.subscribe({ portals: ["hall"], start: "all" });
  const items = [1, 2, 3].map((n) => client.setItems([{ portalId: "hall", payload: `${n}` }]));
  await Promise.all(items);
  const payloads = (await take(reader, 3)).map(({ payload }) => payload);
  assert.deepEqual(payloads, ["1", "2", "3"]);
}

/** Logs in, once, with this error. */
async function fails(options: XrtcClientOptions, code: string, pattern: RegExp): Promise<void> {
  await using client = new XrtcClient({ ...credentials, ...options });
  await assert.rejects(
    client.open(),
    (error) =>
      isXrtcError(error) &&
      error.code === code &&
      pattern.test(error.message) &&
      !/secret/.test(inspect(error, { depth: 9 })),
  );
}

const refuses = (options: XrtcClientOptions): void =>
  assert.throws(
    () => new XrtcClient({ ...credentials, ...options }),
    (error) => isXrtcError(error, "XRTC_OPTIONS") && !/secret/.test(inspect(error)),
  );

/** A service that is also known by a name. */
const startNamed = (): Promise<Service> =>
  startService({ hostNames: ["xrtc.test"], limits: { loginIntervalMsMin: 0 } });

describe("A client behind a proxy", () => {
  it("sends logins, sets and streams through its tunnel, by names that only the proxy knows", async () => {
    await using service = await startNamed();
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    const baseUrl = "http://xrtc.test/v1";
    await exchange({ baseUrl, allowInsecure: true, proxy: proxy.url });
    assert.ok(proxy.asked.length >= 3, "commands, ordered sets and the stream");
    assert.deepEqual([...new Set(proxy.asked)], ["xrtc.test:80"]);
    assert.equal(proxy.others, 0);
    assert.equal(service.server.stats.logins, 1);
  });

  it("checks the certificate of the service, and not of anybody in between", async () => {
    await using service = await startNamed();
    const authority = new Authority();
    await using front = await TlsFront.before(portOf(service), authority.issue("xrtc.test"));
    await using proxy = await ConnectProxy.start({ port: front.port });
    const options = { baseUrl: "https://xrtc.test/v1", proxy: proxy.url };
    await fails(options, "XRTC_TLS", /certificate/);
    await exchange({ ...options, tls: { ca: authority.cert } });
    assert.deepEqual([...new Set(proxy.asked)], ["xrtc.test:443"]);
    assert.ok(front.names.every((name) => name === "xrtc.test"));
  });

  it("tells the proxy its user and password, and nobody else", async () => {
    await using service = await startNamed();
    const expected = `Basic ${Buffer.from("me:p@ss secret").toString("base64")}`;
    await using proxy = await ConnectProxy.start({
      port: portOf(service),
      answer: (headers) => (headers["proxy-authorization"] === expected ? 200 : 407),
    });
    const options = { baseUrl: "http://xrtc.test/v1", allowInsecure: true };
    await exchange({ ...options, proxy: proxy.url.replace("//", "//me:p%40ss%20secret@") });
    await exchange({
      ...options,
      proxy: { url: proxy.url, username: "me", password: "p@ss secret" },
    });
    const wrong = { url: proxy.url, username: "me", password: "secret" };
    await fails({ ...options, proxy: wrong }, "XRTC_UNREACHABLE", /proxy answered with status 407/);
  });

  it("says that the proxy is to blame when it breaks off, says nothing, or is not there", async () => {
    await using service = await startNamed();
    const port = portOf(service);
    const options = { baseUrl: "http://xrtc.test/v1", allowInsecure: true };
    await using silent = await ConnectProxy.start({ port, answer: () => undefined });
    const impatient = { ...options, connectTimeoutMs: 50, proxy: silent.url };
    await fails(impatient, "XRTC_UNREACHABLE", /the proxy did not answer within 50 ms/);
    const { url } = silent;
    await silent[Symbol.asyncDispose]();
    await fails({ ...options, proxy: url }, "XRTC_UNREACHABLE", /ECONNREFUSED/);
    assert.equal(service.server.stats.logins, 0);
  });

  it("takes the proxy of the environment, but not to this machine unless it is asked to", async () => {
    await using service = await startNamed();
    const { baseUrl } = service;
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    const environment = { HTTP_PROXY: proxy.url };
    await exchange({ baseUrl, environment });
    await exchange({ baseUrl, proxy: { url: proxy.url, noProxy: ["127.0.0.1"] } });
    assert.equal(proxy.asked.length, 0, "this machine is reached straight");
    await exchange({ baseUrl: "http://xrtc.test/v1", allowInsecure: true, environment });
    const ofEnvironment = proxy.asked.length;
    assert.ok(ofEnvironment > 0);
    await exchange({ baseUrl, proxy: proxy.url });
    assert.ok(proxy.asked.length > ofEnvironment, "it was asked for");
  });

  it("registers through it, too", async () => {
    let code = "";
    await using service = await startService({
      hostNames: ["xrtc.test"],
      log: ({ message }) => {
        code = /^registration code for .*: (\S+)$/.exec(message)?.[1] ?? code;
      },
    });
    await using proxy = await ConnectProxy.start({ port: portOf(service) });
    const options = { baseUrl: "http://xrtc.test/v1", allowInsecure: true, proxy: proxy.url };
    const token = await startRegistration("me@example.org", options);
    const { accountId } = await finishRegistration(token, code, options);
    assert.match(accountId, /^AC\d+$/);
    assert.equal(proxy.asked.length, 2);
  });
});

describe("A client with certificates of its own", () => {
  it("trusts the authority that it is told to, and shows who it is", async () => {
    await using service = await startNamed();
    const authority = new Authority();
    const stranger = new Authority("Another authority");
    const mutual = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
    const ours = { ...authority.issue("127.0.0.1"), ...mutual };
    await using front = await TlsFront.before(portOf(service), ours);
    const baseUrl = `https://127.0.0.1:${front.port}/v1`;
    const tls = { ca: authority.cert, ...authority.issue("client") };
    await exchange({ baseUrl, tls });
    await fails({ baseUrl, tls: { ...tls, ca: stranger.cert } }, "XRTC_TLS", /certificate/);
    await fails({ baseUrl }, "XRTC_TLS", /certificate/);
    const { ca } = tls;
    // How the other side turns away who shows nothing is its own affair.
    await using nobody = new XrtcClient({ ...credentials, baseUrl, tls: { ca } });
    await assert.rejects(nobody.open(), isXrtcError);
  });

  it("checks the name that it is told instead of that in the address", async () => {
    await using service = await startNamed();
    const authority = new Authority();
    await using front = await TlsFront.before(portOf(service), authority.issue("inside.test"));
    const baseUrl = `https://127.0.0.1:${front.port}/v1`;
    const tls = { ca: authority.cert };
    await fails({ baseUrl, tls }, "XRTC_TLS", /127\.0\.0\.1/);
    await exchange({ baseUrl, tls: { ...tls, servername: "inside.test" } });
    assert.ok(front.names.includes("inside.test"));
    // So it does where the address has a name of its own.
    await using proxy = await ConnectProxy.start({ port: front.port });
    const named = { baseUrl: "https://xrtc.test/v1", proxy: proxy.url };
    await fails({ ...named, tls }, "XRTC_TLS", /xrtc\.test/);
    await exchange({ ...named, tls: { ...tls, servername: "inside.test" } });
  });

  it("accepts any certificate only when it is told to", async () => {
    await using service = await startNamed();
    await using front = await TlsFront.before(
      portOf(service),
      new Authority().issue("elsewhere.test"),
    );
    const baseUrl = `https://127.0.0.1:${front.port}/v1`;
    await fails({ baseUrl, tls: {} }, "XRTC_TLS", /certificate/);
    await exchange({ baseUrl, tls: { rejectUnauthorized: false } });
  });

  it("refuses what is no certificate before anything is sent", () => {
    const { cert } = new Authority().issue("client");
    refuses({ tls: { ca: "-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----" } });
    refuses({ tls: { cert, key: "secret" } });
    refuses({ tls: { certificate: "x" } as never });
    refuses({ proxy: "ftp://me:secret@proxy.test" });
    refuses({ proxy: { url: "http://me:%zz-secret@proxy.test" } });
    refuses({ environment: { HTTPS_PROXY: "socks5://me:secret@proxy.test" } });
  });
});
