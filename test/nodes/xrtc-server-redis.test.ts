import assert from "node:assert/strict";
import { needsRedis, RedisServer } from "../support/redis.js";
import { API_KEY } from "../support/service.js";
import { catchAll, input, localConfig, out, server, sink, tab } from "./flows.js";
import {
  badge,
  errors,
  type Flow,
  type FlowCredentials,
  logged,
  type Message,
  node,
  start,
  stop,
  taken,
} from "./runtime.js";

const PASSWORD = "p%ss:w@rd/of?redis";
const connected = { fill: "green", shape: "dot" } as const;
const away = { fill: "yellow", shape: "ring" } as const;

/** An account of its own for each test: a key has to wait between two logins. */
const saved = (digit: number, redisPassword = PASSWORD): FlowCredentials => ({
  s1: { accountId: `AC000000000000000${digit}`, apiKey: API_KEY, redisPassword },
});

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const inRedis = ({ port }: RedisServer, more: object = {}): Flow[number] =>
  server({ engine: "redis", redisUrl: `redis://127.0.0.1:${port}`, ...more });

const exchange = (one: Flow[number]): Flow => [
  tab,
  localConfig,
  one,
  out({ portal: "hall" }),
  input("i1", "hall", { start: "all" }),
  sink("k1"),
  ...catchAll,
];

async function passes(payload: string): Promise<void> {
  node("o1").receive({ payload });
  const [message] = await taken("k1", 1);
  assert.equal(message?.["payload"], payload);
}

describe("xrtc-server with its items in Redis", () => {
  let redis: RedisServer;

  before(async function () {
    needsRedis(this);
    redis = await RedisServer.start({ password: PASSWORD });
  });
  after(() => redis?.[Symbol.asyncDispose]());
  afterEach(stop);

  it("finds them again when the flows were stopped for good", async () => {
    await start(exchange(inRedis(redis)), saved(1));
    await badge("i1", connected);
    await passes("kept");
    await stop();
    await start(exchange(inRedis(redis)), saved(1));
    const [message] = await taken("k1", 1);
    assert.equal(message?.["payload"], "kept");
  });

  it("says when Redis is away, lets messages wait, and goes on when it is back", async function () {
    this.timeout(40_000);
    await start(exchange(inRedis(redis)), saved(2));
    await badge("i1", connected);
    await redis.kill("SIGKILL");
    node("o1").receive({ payload: "meanwhile" });
    await badge("s1", away);
    await redis.restart();
    await badge("s1", connected);
    const [message] = await taken("k1", 1);
    assert.equal(message?.["payload"], "meanwhile");
    assert.equal(errors("s1").length, 0);
  });

  it("starts when Redis does, and says once why it waits", async () => {
    await redis.kill("SIGKILL");
    await start(exchange(inRedis(redis)), saved(3));
    const [reported] = (await taken("caught", 1)) as Caught[];
    assert.equal(reported?.error.code, "XRTC_ENGINE_UNAVAILABLE");
    await badge("s1", away);
    await redis.restart();
    await badge("s1", connected);
    await badge("i1", connected);
    await passes("at last");
    assert.equal(errors("s1").length, 1);
  });

  it("does not start with a password that is wrong, and keeps it to itself", async () => {
    const wrong = "canary-that-is-no-password";
    await start([tab, inRedis(redis), ...catchAll], saved(4, wrong));
    const [reported] = (await taken("caught", 1)) as Caught[];
    assert.match(reported?.error.code ?? "", /^XRTC_(?:ENGINE_UNAVAILABLE|OPTIONS)$/);
    const told = JSON.stringify([reported, logged("error"), logged("warn"), logged("info")]);
    assert.ok(!told.includes(wrong));
  });

  it("wants an account and a key that stay, and a URL without a password in it", async () => {
    const url = `redis://:secret-in-a-url@127.0.0.1:${redis.port}`;
    const flow: Flow = [tab, inRedis(redis), inRedis(redis, { id: "s2", redisUrl: url })];
    await start([...flow, ...catchAll], { s2: saved(5)["s1"] ?? {} });
    const caught = ((await taken("caught", 2)) as Caught[]).map(({ error }) => error);
    const codes = caught.map(({ code }) => code).toSorted();
    assert.deepEqual(codes, ["XRTC_CREDENTIALS_MISSING", "XRTC_OPTIONS"]);
    assert.ok(!JSON.stringify(caught).includes("secret-in-a-url"));
  });
});
