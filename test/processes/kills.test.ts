import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { needsRedis } from "../support/redis.js";
import { killAndCheck } from "./kill-run.js";

const KILLS = 50;

describe("V2, V4: servers and their Redis, killed at random moments under load,", function () {
  this.timeout(360_000);
  before(function () {
    needsRedis(this);
  });

  it(`${KILLS} times each, lose nothing that was acknowledged and deliver nothing twice`, async () => {
    const seed = randomInt(2 ** 31);
    console.log(`      seed ${seed}`);
    const report = await killAndCheck({ kills: KILLS, seed });
    const { killed, acknowledged, unknown, violations, seconds } = report;
    console.log(
      `      ${acknowledged} sets acknowledged, ${unknown} unknown, ${seconds.toFixed(0)} s`,
    );
    assert.deepEqual(violations, []);
    assert.deepEqual(killed, { server: KILLS, redis: KILLS });
    assert.ok(acknowledged > KILLS);
  });
});
