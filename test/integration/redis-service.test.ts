import { strict as assert } from "node:assert";
import type { XrtcServerOptions } from "../../src/server/index.js";
import { needsRedis, RedisServer } from "../support/redis.js";
import { credentials, type Service, startService, take } from "../support/service.js";
import { XrtcClient } from "../../src/index.js";

const texts = (count: number, word = "m"): string[] =>
  Array.from({ length: count }, (_, index) => `${word}${index}`);

describe("two servers on one Redis", () => {
  let redis: RedisServer;

  before(async function () {
    needsRedis(this);
    redis = await RedisServer.start();
  });

  after(() => redis?.[Symbol.asyncDispose]());

  let prefixes = 0;
  /** Two servers that have everything in common, and with nobody else. */
  async function pair(options: Partial<XrtcServerOptions> = {}): Promise<[Service, Service]> {
    prefixes += 1;
    const limits = { loginIntervalMsMin: 0, ...options.limits };
    const common = { engine: redis.url, enginePrefix: `test${prefixes}`, ...options, limits };
    return [await startService(common), await startService(common)];
  }

  it("hand what is set at one to whoever streams at the other, whole and in order", async () => {
    const [one, other] = await pair();
    await using _one = one;
    await using _other = other;
    const [writer, reader] = [one.client(), other.client()];
    const items = reader.subscribe({ portals: ["P", "Q"], start: "all" });
    const sets = texts(200).map((payload, index) =>
      writer.setItems([{ portalId: index % 2 === 0 ? "P" : "Q", payload }]),
    );
    const taken = await take(items, 200);
    await Promise.all(sets);
    for (const portalId of ["P", "Q"]) {
      const of = taken.filter((item) => item.portalId === portalId);
      assert.deepEqual(
        of.map(({ seq }) => seq),
        of.map((_, index) => index + 1),
      );
    }
    assert.deepEqual(taken.map(({ payload }) => payload).toSorted(), texts(200).toSorted());
    assert.equal(one.server.stats.itemsSet, 200);
    assert.equal(other.server.stats.itemsDelivered, 200);
  });

  it("hand what is set at one to whoever streams there, before anybody else hears of it", async () => {
    const [one, other] = await pair();
    await using _one = one;
    await using _other = other;
    const reader = one.client();
    const items = reader.subscribe({ portals: ["P"], start: "all" });
    const sets = texts(100).map((payload) => reader.setItems([{ portalId: "P", payload }]));
    const taken = await take(items, 100);
    await Promise.all(sets);
    assert.deepEqual(
      taken.map(({ payload }) => payload),
      texts(100),
    );
  });

  it("are one service for a client whose requests go to either by turns (V15)", async () => {
    const [one, other] = await pair();
    await using _one = one;
    await using _other = other;
    // Login and gets at one, sets at the other, in one session.
    const client = new XrtcClient({
      ...credentials,
      loginUrl: `${one.baseUrl}/auth/login`,
      getUrl: `${one.baseUrl}/item/get`,
      setUrl: `${other.baseUrl}/item/set`,
    });
    try {
      await client.setItems(texts(5).map((payload) => ({ portalId: "P", payload })));
      const items = await take(client.getItems({ portals: ["P"], schedule: "FIFO" }), 5);
      assert.deepEqual(
        items.map(({ payload, seq }) => [payload, seq]),
        texts(5).map((payload, index) => [payload, index + 1]),
      );
      assert.equal(one.server.stats.logins, 1);
      assert.equal(other.server.stats.logins, 0);
      assert.equal(other.server.stats.itemsSet, 5);
    } finally {
      await client.close();
    }
  });
});
