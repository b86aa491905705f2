import { strict as assert } from "node:assert";
import { Redis } from "ioredis";
import { needsRedis, RedisServer, type RedisOptions } from "../support/redis.js";

/** Closed at the end of the block; what goes wrong in between shows in its commands. */
function clientOf(redis: RedisServer): Redis & Disposable {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: null });
  client.on("error", () => {});
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}

describe("a Redis for tests", () => {
  before(function () {
    needsRedis(this);
  });

  const kinds: readonly (readonly [string, RedisOptions])[] = [
    ["one that writes everything to disk first", { aof: true, password: "pass/word" }],
    ["one that does not", {}],
  ];
  for (const [name, options] of kinds) {
    it(`starts again on its port and with its files after SIGKILL: ${name}`, async () => {
      await using redis = await RedisServer.start(options);
      {
        using client = clientOf(redis);
        assert.equal(await client.set("key", "kept"), "OK");
      }
      const { pid, url } = redis;
      await redis.kill("SIGKILL");
      assert.equal(redis.pid, undefined);
      await redis.restart();
      assert.notEqual(redis.pid, pid);
      assert.equal(redis.url, url);
      using client = clientOf(redis);
      assert.equal(await client.get("key"), options.aof === true ? "kept" : null);
    });
  }

  it("hangs while it is stopped, and goes on after", async () => {
    await using redis = await RedisServer.start();
    using client = clientOf(redis);
    await client.ping();
    await redis.kill("SIGSTOP");
    const answer = client.ping();
    assert.equal(await Promise.race([answer, Promise.resolve("nothing yet")]), "nothing yet");
    await redis.kill("SIGCONT");
    assert.equal(await answer, "PONG");
  });
});
