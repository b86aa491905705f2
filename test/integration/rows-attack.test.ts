import { strict as assert } from "node:assert";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { XrtcServerOptions } from "../../src/server/index.js";
import { AttackedServer } from "../support/attacked.js";
import { ALICE, RawClient, statusesOf } from "./server-raw.js";

const BOB = { accountId: "AC2222", apiKey: "b".repeat(32) };
const CANARY_KEY = "CANARYKEYCANARYKEYCANARYKEYCANAR";
const CANARY_PAYLOAD = "CANARYPAYLOAD";
const isLinux = process.platform === "linux";

/** A server in a process of its own, and clients that are gone after the test. */
class Siege implements AsyncDisposable {
  readonly #clients: RawClient[] = [];

  private constructor(readonly server: AttackedServer) {}

  static async open(options: Partial<XrtcServerOptions> = {}): Promise<Siege> {
    const accounts = [ALICE, BOB].map(({ accountId, apiKey }) => ({
      accountId,
      apiKeys: [apiKey],
    }));
    const limits = { loginIntervalMsMin: 0, ...options.limits };
    return new Siege(await AttackedServer.open({ accounts, ...options, limits }));
  }

  async client(localAddress?: string): Promise<RawClient> {
    const client = await RawClient.open(this.server, localAddress);
    this.#clients.push(client);
    return client;
  }

  clients(count: number): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.client()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server[Symbol.asyncDispose]();
  }
}

const loginBody = (accountid: string, apikey: string): string =>
  JSON.stringify({ accountid, apikey });

const setBody = (portalid: string, payload: string): string =>
  JSON.stringify({ items: [{ portalid, payload }] });

/** Sends a request and gives the text of its answer, which is the next one on the connection. */
async function ask(
  client: RawClient,
  path: string,
  body: string,
  ...headers: readonly string[]
): Promise<string> {
  client.received = "";
  client.post(path, body, ...headers);
  const [head, length] = await client.until(/^HTTP[^]*?content-length: (\d+)\r\n[^]*?\r\n\r\n/i);
  const bytes = head.length + Number(length);
  await client.until(new RegExp(`^[^]{${bytes}}`));
  return client.received;
}

/** Sends a hundred logins at once, half of them to an account that there is; the key is never the right one. */
async function hundredAnswers(stranger: RawClient, at: number): Promise<string[]> {
  stranger.received = "";
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const accountId = (at + attempt) % 2 === 0 ? ALICE.accountId : `AC${attempt}`;
    stranger.post("/auth/login", loginBody(accountId, CANARY_KEY));
  }
  const answers = (): string[] => stranger.received.split(/(?=HTTP\/1\.1 )/);
  while (!stranger.received.endsWith("}}") || answers().length < 100) {
    await Promise.race([once(stranger.socket, "data"), stranger.closed]);
    assert.equal(stranger.isClosed, false);
  }
  return answers();
}

/** Waits until something is so; what never comes to be so fails the test, and does not hang it. */
async function eventually(isSo: () => boolean): Promise<void> {
  const until = performance.now() + 20_000;
  while (!isSo()) {
    assert.ok(performance.now() < until, `not within 20 s: ${isSo.toString()}`);
    await setImmediate();
  }
}

const from = (address: string): string => `X-Forwarded-For: ${address}`;

const isTurnedAway = ({ received }: RawClient): boolean => received.startsWith("HTTP/1.1 503 ");

const hundredThousand = (text: string): string =>
  Array.from({ length: 100_000 }, () => text).join(",");

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe("Attacks", function () {
  this.timeout(60_000);

  it("A1: 10,000 logins with bad keys from one address are throttled, and the owner still logs in", async function () {
    if (!isLinux) this.skip();
    await using siege = await Siege.open();
    const strangers = await siege.clients(10);
    const owner = await siege.client();
    const answers: string[] = [];
    await Promise.all(
      strangers.map(async (stranger, at) => {
        for (let round = 0; round < 10; round += 1) {
          answers.push(...(await hundredAnswers(stranger, at)));
          if (at > 0) continue;
          // Ten times in the midst of it.
          const answer = await ask(owner, "/auth/login", loginBody(ALICE.accountId, ALICE.apiKey));
          assert.equal(statusOf(answer), 200, answer);
        }
      }),
    );
    assert.equal(answers.length, 10_000);
    const refused = answers.filter((answer) => statusOf(answer) === 400);
    assert.equal(refused.length, 20);
    for (const answer of refused) assert.match(answer, /"errorcode":35,/);
    const throttled = answers.filter((answer) => statusOf(answer) === 429);
    assert.equal(throttled.length, 9_980);
    for (const answer of throttled) {
      const seconds = Number(/^retry-after: (\d+)\r$/im.exec(answer)?.[1]);
      assert.ok(seconds >= 1 && seconds <= 60, answer);
      assert.equal(answer.includes('"errorcode":35'), false);
    }
    // Somebody else, elsewhere, who mistypes hears that it is the key.
    const other = await siege.client("127.0.0.2");
    assert.match(
      await ask(other, "/auth/login", loginBody(ALICE.accountId, "z")),
      /"errorcode":35,/,
    );
    // Nor does it fill a disk.
    assert.equal(siege.server.output.split("login-refused").length - 1, 21);
    assert.equal(siege.server.output.includes("CANARY"), false);
  });

  it("A3: a cookie from another address, or with a forged X-Forwarded-For, is worth nothing", async function () {
    if (!isLinux) this.skip();
    await using siege = await Siege.open();
    const owner = await siege.client();
    const cookie = await owner.login();
    const thief = await siege.client("127.0.0.2");
    const list = '{"portals":[]}';
    for (const forged of ["127.0.0.1", "127.0.0.1, 127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
      const answer = await ask(thief, "/item/get", list, cookie, `X-Forwarded-For: ${forged}`);
      assert.match(answer, /^HTTP\/1\.1 401 [^]*"errorcode":10011,/, forged);
    }
    const own = await ask(owner, "/item/get", list, cookie, "X-Forwarded-For: 127.0.0.2");
    assert.equal(statusOf(own), 200);
  });

  it("A3: behind a trusted proxy, the client's own address counts, and nobody else can name it", async function () {
    if (!isLinux) this.skip();
    await using siege = await Siege.open({ trustedProxies: ["127.0.0.2"] });
    const proxy = await siege.client("127.0.0.2");
    const login = loginBody(ALICE.accountId, ALICE.apiKey);
    const answer = await ask(proxy, "/auth/login", login, from("10.1.1.1"));
    const [, id] = /JSESSIONID=(\w+);/.exec(answer) ?? [];
    const cookie = `Cookie: JSESSIONID=${id}`;
    const list = async (client: RawClient, address: string): Promise<number> =>
      statusOf(await ask(client, "/item/get", '{"portals":[]}', cookie, from(address)));
    assert.equal(await list(proxy, "10.1.1.1"), 200);
    assert.equal(await list(proxy, "6.6.6.6, 10.1.1.1"), 200);
    assert.equal(await list(proxy, "10.1.1.2"), 401);
    // What the client wrote itself stands before what the proxy added.
    assert.equal(await list(proxy, "10.1.1.1, 10.1.1.2"), 401);
    assert.equal(await list(proxy, "10.1.1.1, unknown"), 401);
    assert.equal(await list(await siege.client(), "10.1.1.1"), 401);
  });

  it("A5: bodies over the cap, with lying lengths, in pieces of a byte or all at once are cut, and memory is bounded", async () => {
    const bodyBytesMax = 4_194_304;
    await using siege = await Siege.open({ bounds: { bodyBytesMax } });
    const owner = await siege.client();
    const cookie = await owner.login();
    const before = await siege.server.held();
    const head = ["POST /v1/item/set HTTP/1.1", "Host: localhost", cookie];
    const over = await siege.client();
    over.send(...head, "Content-Length: 1048577", "", "x".repeat(100_000));
    await over.until(/^HTTP\/1\.1 400 [^]*"errorcode":20,/);
    // Pieces of one byte: each must not cost what a piece costs.
    const dribblers = await siege.clients(3);
    for (const dribbler of dribblers) {
      dribbler.send(...head, "Transfer-Encoding: chunked", "", "");
      dribbler.socket.write("1\r\nx\r\n".repeat(60_000));
    }
    // Bodies that end one byte short: together more than there is room for.
    const liars = await siege.clients(10);
    for (const liar of liars) {
      liar.send(...head, "Content-Length: 1000000", "", "x".repeat(999_999));
    }
    await eventually(() => liars.some(isTurnedAway));
    for (const { received } of liars.filter(isTurnedAway)) {
      assert.match(received, /^retry-after: 1\r$/im);
      assert.match(received, /"errorgroup":2,/);
    }
    // Whoever says little is served.
    assert.equal(statusOf(await ask(owner, "/item/set", setBody("P", "x"), cookie)), 200);
    const during = await siege.server.held();
    const grown = during.memoryBytes - before.memoryBytes;
    assert.ok(grown < 3 * bodyBytesMax, `${grown} bytes`);
    for (const client of [...liars, ...dribblers, over]) client.destroy();
    while ((await siege.server.held()).stats.sockets > 1);
    // And the room is there again.
    const large = setBody("P", "x".repeat(50_000));
    const many = `{"items":[${Array.from({ length: 15 }, () => large.slice(10, -2)).join(",")}]}`;
    assert.equal(statusOf(await ask(owner, "/item/set", many, cookie)), 200);
  });

  it("A6: monstrous documents are refused, and others are answered between them", async () => {
    await using siege = await Siege.open();
    const [stranger, owner] = [await siege.client(), await siege.client()];
    const cookie = await stranger.login();
    const keys = Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(",");
    const monsters = [
      "[".repeat(1_000_000),
      '{"a":'.repeat(200_000),
      `{${keys}}`,
      `{"items":[${hundredThousand("{}")}]}`,
      `{"portals":[${hundredThousand('""')}]}`,
      `{items:[${hundredThousand("{}")}]}`,
      `{"items":"${"\\\\".repeat(500_000)}"}`,
    ];
    let served = 0;
    const over = new AbortController();
    const serve = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const answer = await ask(owner, "/item/set", setBody("P", "x"), cookie);
        assert.equal(statusOf(answer), 200, answer);
        served += 1;
      }
    };
    const serving = serve();
    let answered = 0;
    for (let round = 0; round < 3; round += 1) {
      for (const monster of monsters) {
        for (const path of ["/item/set", "/item/get", "/auth/login"]) {
          const answer = await ask(stranger, path, monster, cookie);
          // A get passes over members that it does not know.
          const isTaken = path === "/item/get" && statusOf(answer) === 200;
          assert.ok(isTaken || statusOf(answer) === 400, answer);
          answered += 1;
        }
      }
    }
    over.abort();
    await serving;
    // Each of them took so little that somebody else had a turn besides.
    assert.ok(3 * served >= answered, `${served} sets beside ${answered} monsters`);
  });

  it("A11: nothing of another account is there to be read, written or waited for", async () => {
    await using siege = await Siege.open();
    const [alice, bob] = [await siege.client(), await siege.client()];
    const cookie = await alice.login();
    const login = await ask(bob, "/auth/login", loginBody(BOB.accountId, BOB.apiKey));
    const bobs = `Cookie: JSESSIONID=${/JSESSIONID=(\w+);/.exec(login)?.[1]}`;
    await ask(alice, "/item/set", setBody("P", CANARY_PAYLOAD), cookie);
    const watch = '{"portals":[{"portalid":"P"}],"mode":"watch","schedule":"FIFO"}';
    bob.received = "";
    bob.post("/item/get", watch, bobs);
    const second = await siege.client();
    for (const body of ['{"portals":[]}', '{"portals":[{"portalid":"P","servertimestamp":1}]}']) {
      assert.match(await ask(second, "/item/get", body, bobs), /\r\n\r\n\{\}\n$/);
    }
    await ask(alice, "/item/set", setBody("P", CANARY_PAYLOAD), cookie);
    // Bob's own item of the same name is what he gets, as his first.
    await ask(second, "/item/set", setBody("P", "of Bob"), bobs);
    await bob.until(/"payload":"of Bob","servertimestamp":\d+,"seq":1\}\]\}\n$/);
    assert.equal(bob.received.includes(CANARY_PAYLOAD), false);
    const got = await ask(alice, "/item/get", '{"portals":[{"portalid":"P"}]}', cookie);
    assert.equal(got.includes("of Bob"), false);
  });

  it("A11: ids out of a prototype, with separators, of a path or of 33 characters are refused with 30", async () => {
    await using siege = await Siege.open();
    const client = await siege.client();
    const cookie = await client.login();
    const ids = [
      ..."__proto__|a:b|../x|a/b|a*|{a}|a b|a\n|\0|ä|Ａ|".split("|"),
      "a".repeat(33),
      `${ALICE.accountId}:P`,
    ];
    for (const portalid of ids) {
      const get = JSON.stringify({ portals: [{ portalid }] });
      const [set, got] = [
        await ask(client, "/item/set", setBody(portalid, "x"), cookie),
        await ask(client, "/item/get", get, cookie),
      ];
      for (const answer of [set, got]) {
        assert.match(answer, /^HTTP\/1\.1 400 [^]*"errorgroup":6,"errorcode":30,/, portalid);
      }
    }
    // Those that only look odd are ordinary.
    for (const portalid of ["constructor", "toString", "length", "0"]) {
      assert.equal(statusOf(await ask(client, "/item/set", setBody(portalid, "x"), cookie)), 200);
    }
    assert.deepEqual(new Set(statusesOf(client)), new Set([200]));
  });
});
