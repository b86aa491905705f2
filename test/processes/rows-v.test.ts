/** Rows V of the faults to survive, with real processes, real signals and a real Redis. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type Gap, type Item, XrtcClient, type XrtcClientOptions } from "../../src/index.js";
import { needsRedis, RedisServer } from "../support/redis.js";
import { KillableServer, type KillableServerOptions } from "../support/killable-server.js";
import { ACCOUNT_ID, API_KEY, credentials } from "../support/service.js";
import { WaitingList } from "../support/waiting-list.js";

const OTHER_KEY = "otherotherotherotherotherother02";
/** Milliseconds in which a request has its answer although Redis hangs: 2 s, and what a busy machine adds. */
const ANSWER_MS_MAX = 2_600;
/** Milliseconds between two requests to a server that is in trouble. */
const PACE_MS = 100;
const RECOVERY_MS_MAX = 10_000;
/** How long Redis hangs; a run that has the time for it lets it hang for longer, too. */
const STOP_SECONDS = [1, 5, ...(process.env["REDIS_STOP_SECONDS"] ?? "").split(",").map(Number)];

const serverOptions = (more: KillableServerOptions | object = {}): KillableServerOptions => ({
  port: 0,
  accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, OTHER_KEY] }],
  limits: { loginIntervalMsMin: 0, getTimeoutMs: 1_000 },
  ...more,
});

function clientOf(baseUrl: string, more: XrtcClientOptions = {}): XrtcClient {
  const limits = { loginIntervalMsMin: 0, getTimeoutMs: 1_000 };
  return new XrtcClient({ ...credentials, baseUrl, limits, ...more });
}

/** What a subscription brings, to be waited for. */
function read(client: XrtcClient): {
  readonly items: WaitingList<Item>;
  readonly gaps: Gap[];
  readonly ready: Promise<void>;
} {
  const items = new WaitingList<Item>();
  const gaps: Gap[] = [];
  const subscription = client.subscribe({ portals: ["p"], onGap: (gap) => gaps.push(gap) });
  const reading = async (): Promise<void> => {
    for await (const item of subscription) items.add(item);
  };
  reading().catch((error: unknown) => items.end(error as Error));
  return { items, gaps, ready: subscription.ready() };
}

const set = (client: XrtcClient, payload: string): Promise<unknown> =>
  client.setItems([{ portalId: "p", payload }]);

const payloadsUntil = (items: WaitingList<Item>, last: string): Promise<readonly string[]> =>
  items.until((all) => {
    const payloads = all.map(({ payload }) => payload);
    return payloads.includes(last) ? payloads : undefined;
  }, `the item ${last}`);

/** A session without a client: what comes back is what the server said. */
class RawSession {
  readonly #cookie: string;

  private constructor(cookie: string) {
    this.#cookie = cookie;
  }

  static async open(baseUrl: string): Promise<RawSession> {
    const login = { accountid: ACCOUNT_ID, apikey: API_KEY };
    const answer = await post(`${baseUrl}/auth/login`, login, "");
    assert.equal(answer.status, 200);
    const cookies = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
    return new RawSession(cookies.join("; "));
  }

  post(baseUrl: string, path: string, body: object): Promise<Response> {
    return post(`${baseUrl}${path}`, body, this.#cookie);
  }
}

async function post(url: string, body: object, cookie: string): Promise<Response> {
  const answer = await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { cookie },
    signal: AbortSignal.timeout(RECOVERY_MS_MAX),
  });
  await answer.clone().text();
  return answer;
}

const ONE_ITEM = { items: [{ portalid: "p", payload: "x" }] };
const PROBE = { portals: [{ portalid: "p" }] };

describe("V1: a server that is killed and started again, with its items in memory,", function () {
  this.timeout(30_000);

  it("has a new epoch: the gap is announced, and reading goes on", async () => {
    await using server = await KillableServer.start(serverOptions());
    await using client = clientOf(server.baseUrl);
    const { items, gaps, ready } = read(client);
    await ready;
    await set(client, "before");
    await payloadsUntil(items, "before");
    await server.restart();
    await set(client, "after");
    assert.deepEqual(await payloadsUntil(items, "after"), ["before", "after"]);
    assert.deepEqual(
      gaps.map(({ portalId, reason }) => ({ portalId, reason })),
      [{ portalId: "p", reason: "epoch" }],
    );
  });
});

describe("V2: a server that is killed and started again, with its items in Redis,", function () {
  this.timeout(30_000);
  before(function () {
    needsRedis(this);
  });

  it("has them still: what was set before and not read comes, and no gap is announced", async () => {
    await using redis = await RedisServer.start({ aof: true });
    const options = serverOptions({ engine: redis.url, durability: "redis-aof" });
    await using server = await KillableServer.start(options);
    await using writer = clientOf(server.baseUrl, { apiKey: OTHER_KEY });
    await using client = clientOf(server.baseUrl);
    const { items, gaps, ready } = read(client);
    await ready;
    await set(writer, "1");
    await payloadsUntil(items, "1");
    const session = await RawSession.open(server.baseUrl);
    await set(writer, "2");
    await server.kill("SIGKILL");
    const under = [set(writer, "3"), set(writer, "4")];
    await server.restart();
    await Promise.all(under);
    assert.deepEqual(await payloadsUntil(items, "4"), ["1", "2", "3", "4"]);
    assert.deepEqual(gaps, []);
    // A login outlives the process that let it in.
    assert.equal((await session.post(server.baseUrl, "/item/get", PROBE)).status, 200);
  });
});

describe("V5: a Redis that hangs", function () {
  this.timeout(120_000);
  before(function () {
    needsRedis(this);
  });

  for (const seconds of STOP_SECONDS.filter((each) => each > 0)) {
    it(`for ${seconds} s is 503 within 2 s to whoever asks, and all goes on afterwards`, async () => {
      await using redis = await RedisServer.start({ aof: true });
      const options = serverOptions({ engine: redis.url, durability: "redis-aof" });
      await using server = await KillableServer.start(options);
      const { baseUrl } = server;
      const session = await RawSession.open(baseUrl);
      const ask = async (path: string, body: object): Promise<number> => {
        const askedAt = performance.now();
        const { status } = await session.post(baseUrl, path, body);
        assert.ok(performance.now() - askedAt < ANSWER_MS_MAX);
        return status;
      };
      assert.equal(await ask("/item/set", ONE_ITEM), 200);
      await redis.kill("SIGSTOP");
      const until = performance.now() + seconds * 1_000;
      const statuses = new Set<number>();
      while (performance.now() < until) {
        const paths = [ask("/item/set", ONE_ITEM), ask("/item/get", PROBE)];
        for (const status of await Promise.all(paths)) statuses.add(status);
        await pause(PACE_MS);
      }
      assert.deepEqual([...statuses], [503]);
      await redis.kill("SIGCONT");
      const giveUpAt = performance.now() + RECOVERY_MS_MAX;
      let status = 503;
      while (status === 503 && performance.now() < giveUpAt) {
        status = await ask("/item/set", ONE_ITEM);
        await pause(PACE_MS);
      }
      assert.equal(status, 200);
      assert.equal(await ask("/item/get", PROBE), 200);
    });
  }

  it("ends no login, and a client goes on by itself", async () => {
    await using redis = await RedisServer.start({ aof: true });
    const options = serverOptions({ engine: redis.url, durability: "redis-aof" });
    await using server = await KillableServer.start(options);
    await using client = clientOf(server.baseUrl);
    const { items, gaps, ready } = read(client);
    await ready;
    await set(client, "before");
    await redis.kill("SIGSTOP");
    const setting = set(client, "meanwhile");
    const trouble = new WaitingList<string>();
    const end = client.status.subscribe(({ kind }) => trouble.add(kind));
    await trouble.until((all) => all.find((kind) => kind === "waiting"), "the client's word");
    end();
    await redis.kill("SIGCONT");
    await setting;
    assert.deepEqual(await payloadsUntil(items, "meanwhile"), ["before", "meanwhile"]);
    assert.deepEqual(gaps, []);
  });
});

describe("V15: two server processes on one Redis", function () {
  this.timeout(30_000);
  const COUNT = 100;
  before(function () {
    needsRedis(this);
  });

  it("take each other's sessions, and have one order in each portal", async () => {
    await using redis = await RedisServer.start();
    const options = serverOptions({ engine: redis.url });
    await using one = await KillableServer.start(options);
    await using two = await KillableServer.start(options);
    const session = await RawSession.open(one.baseUrl);
    for (const { baseUrl } of [one, two, one, two]) {
      assert.equal((await session.post(baseUrl, "/item/get", PROBE)).status, 200);
    }
    await using atOne = clientOf(one.baseUrl);
    await using atTwo = clientOf(two.baseUrl, { apiKey: OTHER_KEY });
    const readers = [read(atOne), read(atTwo)];
    await Promise.all(readers.map(({ ready }) => ready));
    const numbers = Array.from({ length: COUNT }, (_, at) => at);
    await Promise.all(numbers.flatMap((at) => [set(atOne, `one ${at}`), set(atTwo, `two ${at}`)]));
    const [seenAtOne, seenAtTwo] = await Promise.all(
      readers.map(({ items }) =>
        items.until(
          (all) =>
            all.length >= 2 * COUNT
              ? all.map(({ payload, seq }) => `${seq ?? "?"} ${payload}`)
              : undefined,
          "all items",
        ),
      ),
    );
    assert.deepEqual(seenAtOne, seenAtTwo);
    assert.equal(new Set(seenAtOne).size, 2 * COUNT);
    for (const writer of ["one", "two"]) {
      const own = (seenAtOne ?? []).filter((seen) => seen.includes(writer));
      assert.deepEqual(
        own.map((seen) => seen.split(" ").slice(1).join(" ")),
        numbers.map((at) => `${writer} ${at}`),
      );
    }
    for (const { gaps } of readers) assert.deepEqual(gaps, []);
  });
});
