import { strict as assert } from "node:assert";
import { connect } from "node:net";
import { isXrtcError, type XrtcErrorCode } from "../../src/errors.js";
import { XrtcServer, type LogRecord } from "../../src/server/index.js";
import { BackendStage, itemsOf, until } from "../support/backend-stage.js";
import { needsRedis, type RedisOptions, RedisServer } from "../support/redis.js";
import { ACCOUNT_ID, API_KEY } from "../support/service.js";
import { Stage, statusesOf } from "./server-raw.js";

/** Well above what is promised for an answer while Redis hangs: 2 s. */
const ANSWER_MS_MAX = 2_600;

const SET = '{"items":[{"portalid":"P","payload":"x"}]}';
const PROBE = '{"portals":[{"portalid":"P"}]}';
const STREAM = '{"portals":[{"portalid":"P"}],"mode":"stream","schedule":"FIFO"}';

const LIMITS = { loginIntervalMsMin: 0 };

/** The status that a request gets, over a connection of its own. */
async function statusOf(stage: Stage, path: string, body: string, cookie: string): Promise<number> {
  const client = await stage.client();
  client.post(path, body, cookie, "Connection: close");
  await client.until(/^HTTP\/1\.1 \d/m);
  client.destroy();
  return statusesOf(client)[0] ?? 0;
}

/** What all calls answer while Redis cannot: within their time, and never that the session is denied. */
async function assertAllUnavailable(stage: Stage, cookie: string): Promise<void> {
  const body = JSON.stringify({ accountid: "AC1111", apikey: "a".repeat(32) });
  const calls = [
    ["/item/set", SET],
    ["/item/get", PROBE],
    ["/item/get", STREAM],
    ["/item/get", '{"portals":[]}'],
    ["/auth/login", body],
    ["/auth/registrationstart", '{"email":"a@b.example"}'],
  ] as const;
  const started = performance.now();
  const statuses = await Promise.all(
    calls.map(([path, asked]) => statusOf(stage, path, asked, cookie)),
  );
  assert.deepEqual(statuses, [503, 503, 503, 503, 503, 503]);
  assert.ok(performance.now() - started < ANSWER_MS_MAX);
}

const withCode =
  (code: XrtcErrorCode, pattern: RegExp) =>
  (error: unknown): boolean =>
    isXrtcError(error, code) && pattern.test(error.message) && !/secret/.test(error.message);

describe("a server whose Redis fails (V5)", () => {
  before(function () {
    needsRedis(this);
  });

  it("answers 503 in time while Redis hangs, serves when it goes on, and the session with it", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start();
    const log: LogRecord[] = [];
    await using stage = await Stage.open({
      engine: redis.url,
      limits: { ...LIMITS, getTimeoutMs: 3_000 },
      log: (record) => log.push(record),
    });
    const client = await stage.client();
    const cookie = await client.login();
    assert.equal(await statusOf(stage, "/item/set", SET, cookie), 200);
    const reader = await stage.client();
    reader.post("/item/get", STREAM, cookie);
    await reader.until(/"payload":"x"/);

    await redis.kill("SIGSTOP");
    await assertAllUnavailable(stage, cookie);
    assert.match(stage.server.trouble ?? "", /^Redis: /);
    // Once it is known there is nothing to wait for.
    await assertAllUnavailable(stage, cookie);
    await redis.kill("SIGCONT");

    await until(
      () => stage.server.trouble,
      (trouble) => trouble === undefined,
    );
    assert.equal(await statusOf(stage, "/item/set", SET, cookie), 200);
    // The stream that was open has ended by its own time, with no half a line.
    await reader.until(/0\r\n\r\n$/);
    const words = log.map(({ event }) => event);
    assert.deepEqual(
      [words.filter((word) => word === "engine-lost").length, words.includes("engine-ready")],
      [1, true],
    );
    assert.ok(words.length < 10, words.join(" "));
  });

  it("answers 503 while Redis is gone, and serves when it is back, with what was acknowledged (V4)", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start({ aof: true, password: "secret" });
    await using stage = await Stage.open({
      engine: redis.url,
      durability: "redis-aof",
      limits: LIMITS,
    });
    const client = await stage.client();
    const cookie = await client.login();
    for (let set = 0; set < 3; set += 1) {
      assert.equal(await statusOf(stage, "/item/set", SET, cookie), 200);
    }
    await redis.kill("SIGKILL");
    await assertAllUnavailable(stage, cookie);
    await redis.restart();
    await until(
      () => stage.server.trouble,
      (trouble) => trouble === undefined,
    );
    // The same session, and the same epoch.
    client.received = "";
    client.post("/item/get", STREAM, cookie);
    await client.until(/"seq":3/);
    assert.equal(client.received.split('"payload":"x"').length - 1, 3);
  });

  it("wakes a reader after Redis was away with what was set at another server meanwhile", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start({ aof: true });
    const limits = { ...LIMITS, getTimeoutMs: 15_000 };
    const options = { engine: redis.url, durability: "redis-aof", limits } as const;
    await using one = await Stage.open(options);
    await using other = await Stage.open(options);
    const reader = await one.client();
    const cookie = await reader.login();
    reader.post("/item/get", STREAM, cookie);
    // It has read what there was, and waits.
    assert.equal(await statusOf(one, "/item/set", SET, cookie), 200);
    await reader.until(/"seq":1/);
    await redis.restart();
    await until(
      () => one.server.trouble ?? other.server.trouble,
      (trouble) => trouble === undefined,
    );
    assert.equal(await statusOf(other, "/item/set", SET, cookie), 200);
    await reader.until(/"seq":2/);
  });

  it("begins a new epoch, and denies the sessions of the old one, where items may be lost", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start();
    await using stage = await BackendStage.open(2, { engine: redis.url });
    const login = await stage.login();
    assert.ok(login.kind === "opened");
    await redis.restart();
    await until(
      () => stage.backends.map(({ trouble }) => trouble),
      (troubles) => troubles.every((trouble) => trouble === undefined),
    );
    assert.equal((await stage.enter(login.sessionId)).kind, "denied");
    const again = await stage.login();
    const third = await stage.login();
    assert.ok(again.kind === "opened" && third.kind === "opened");
    assert.notEqual(again.epoch, login.epoch);
    assert.equal(again.epoch, third.epoch);
  });

  it("keeps its epoch over a restart where nothing can be lost", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start({ aof: true });
    await using stage = await BackendStage.open(1, {
      engine: redis.url,
      durability: "redis-aof",
    });
    const login = await stage.login();
    assert.ok(login.kind === "opened");
    await stage.set(login.sessionId, { items: itemsOf("P", "1", "2") });
    await redis.restart();
    await until(
      () => stage.any.trouble,
      (trouble) => trouble === undefined,
    );
    assert.equal((await stage.enter(login.sessionId)).kind, "entered");
    assert.deepEqual((await stage.read({ portalId: "P" })).payloads, ["1", "2"]);
    const again = await stage.login();
    assert.ok(again.kind === "opened" && again.epoch === login.epoch);
  });

  it("closes in time while Redis hangs, and while it is gone", async function () {
    this.timeout(20_000);
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
      await using redis = await RedisServer.start();
      await using stage = await Stage.open({ engine: redis.url, limits: LIMITS });
      const reader = await stage.client();
      reader.post("/item/get", STREAM, await reader.login());
      await reader.until(/Transfer-Encoding/i);
      await redis.kill(signal);
      const started = performance.now();
      await stage.server.close();
      assert.ok(performance.now() - started < 3_900);
    }
  });

  it("loses scripts that Redis forgot, and no request", async () => {
    await using redis = await RedisServer.start();
    await using stage = await BackendStage.open(1, { engine: redis.url });
    const id = await stage.opened();
    await command(redis, "SCRIPT FLUSH");
    const outcome = await stage.set(id, { items: itemsOf("P", "1") });
    assert.equal(outcome.kind, "applied");
  });

  it("never lets a portal's timestamps go back", async () => {
    await using redis = await RedisServer.start();
    await using stage = await BackendStage.open(1, { engine: redis.url });
    const id = await stage.opened();
    await stage.set(id, { items: itemsOf("P", "1") });
    const future = Date.now() + 3_600_000;
    await command(redis, `HSET xrtc:{${ACCOUNT_ID}}:meta at:P "1 ${future}"`);
    await stage.set(id, { items: [...itemsOf("Q", "1"), ...itemsOf("P", "2")] });
    await stage.set(id, { items: itemsOf("Q", "2") });
    const [p, q] = [await stage.read({ portalId: "P" }), await stage.read({ portalId: "Q" })];
    assert.equal(p.timestamps[1], future);
    assert.deepEqual(q.timestamps, [future, future]);
  });

  it("keeps every key of an account in one slot", async () => {
    await using redis = await RedisServer.start();
    await using stage = await BackendStage.open(1, { engine: redis.url, enginePrefix: "house" });
    const id = await stage.opened();
    await stage.set(id, { items: itemsOf("P", "1"), key: "k", producer: "X", number: 1 });
    const keys = await command(redis, "KEYS *");
    const names = keys.split("\r\n").filter((line) => line.startsWith("house"));
    assert.ok(names.length > 5);
    for (const name of names) assert.ok(name.startsWith(`house:{${ACCOUNT_ID}}:`), name);
    assert.ok(!keys.includes(API_KEY) && !keys.includes(id));
  });
});

describe("a server that finds no Redis fit for it", () => {
  before(function () {
    needsRedis(this);
  });

  const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];

  const rejects = async (
    engine: string,
    durability: "redis" | "redis-aof",
    check: (error: unknown) => boolean,
  ): Promise<void> => {
    const server = new XrtcServer({ port: 0, accounts, engine, durability });
    await assert.rejects(server.listen(), check);
    await server.close();
  };

  it("does not start where none answers, or not with that password", async function () {
    this.timeout(20_000);
    const redis = await RedisServer.start({ password: "secret" });
    const { url } = redis;
    const wrong = url.replace("secret", "wrongsecret");
    await rejects(wrong, "redis", withCode("XRTC_ENGINE_UNAVAILABLE", /WRONGPASS|password/));
    await redis.kill("SIGKILL");
    await rejects(url, "redis", withCode("XRTC_ENGINE_UNAVAILABLE", /ECONNREFUSED/));
    await redis[Symbol.asyncDispose]();
  });

  const unfit: readonly (readonly [string, RedisOptions, RegExp])[] = [
    ["no file", {}, /appendonly yes/],
    ["a file written now and then", { args: ["--appendonly", "yes"] }, /appendfsync always/],
    [
      "a memory that lets go",
      { aof: true, args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] },
      /noeviction/,
    ],
  ];
  for (const [what, options, pattern] of unfit) {
    it(`does not promise redis-aof of one with ${what}`, async () => {
      await using redis = await RedisServer.start(options);
      await rejects(redis.url, "redis-aof", withCode("XRTC_OPTIONS", pattern));
    });
  }

  it("does not go on with redis-aof when Redis comes back without its file", async function () {
    this.timeout(20_000);
    await using redis = await RedisServer.start({ aof: true });
    await using stage = await BackendStage.open(1, {
      engine: redis.url,
      durability: "redis-aof",
    });
    const id = await stage.opened();
    await command(redis, "CONFIG SET appendonly no");
    await command(redis, "CLIENT KILL TYPE normal SKIPME yes");
    await until(
      () => stage.any.trouble ?? "",
      (trouble) => trouble.includes("appendonly yes"),
    );
    await assert.rejects(stage.set(id, { items: itemsOf("P", "1") }), /./);
    await command(redis, "CONFIG SET appendonly yes");
    await until(
      () => stage.any.trouble,
      (trouble) => trouble === undefined,
    );
    assert.equal((await stage.set(id, { items: itemsOf("P", "1") })).kind, "applied");
  });
});

/** Asks Redis for something, as a person at its port would. @returns its answer as it came */
function command(redis: RedisServer, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(redis.port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
    // QUIT is answered, and then the connection is closed: by then the answer is whole.
    socket.write(`${line}\r\nQUIT\r\n`);
  });
}
