import assert from "node:assert/strict";
import type { Lease, PoolRequest } from "../../../nodes/lib/pool.js";
import { Pool } from "../../../nodes/lib/pool.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const HOLD_MS = 10_000;

function setUp(dispose?: (value: string) => Promise<void>) {
  const clock = new VirtualClock();
  const ended: string[] = [];
  const errors: unknown[] = [];
  const pool = new Pool<string>({
    clock,
    holdMs: HOLD_MS,
    onError: (thrown) => errors.push(thrown),
    dispose: async (value) => {
      ended.push(value);
      await dispose?.(value);
    },
  });
  let made = 0;
  const request = (fingerprint = "f"): PoolRequest<string> => ({
    fingerprint,
    owner: `owner of ${fingerprint}`,
    create: () => `value ${(made += 1)}`,
    conflict: (user) => new Error(`in the hands of ${user}`),
  });
  const take = (key: string, fingerprint?: string): Lease<string> =>
    pool.acquire(key, request(fingerprint));
  return { clock, pool, take, ended, errors };
}

describe("a pool", () => {
  it("gives everybody who asks for a key the same value, and ends it after its last user", async () => {
    const { clock, take, ended } = setUp();
    const one = take("k");
    const two = take("k");
    assert.equal(one.value, two.value);
    one.release();
    await clock.advance(HOLD_MS);
    assert.deepEqual(ended, []);
    two.release();
    await clock.advance(HOLD_MS - 1);
    assert.deepEqual(ended, []);
    await clock.advance(1);
    assert.deepEqual(ended, ["value 1"]);
  });

  it("gives the same value again to whoever comes back within the hold, fifty times", async () => {
    const { clock, take, ended, pool } = setUp();
    for (let deploy = 0; deploy < 50; deploy += 1) {
      const lease = take("k");
      assert.equal(lease.value, "value 1");
      lease.release();
      await clock.advance(HOLD_MS - 1);
    }
    assert.deepEqual(ended, []);
    assert.equal(clock.timerCount, 1);
    assert.equal(pool.size, 1);
  });

  it("does not count a release twice", async () => {
    const { clock, take, ended } = setUp();
    const one = take("k");
    take("k");
    one.release();
    one.release();
    await clock.advance(HOLD_MS);
    assert.deepEqual(ended, []);
  });

  it("keeps keys apart", () => {
    const { take } = setUp();
    assert.notEqual(take("a").value, take("b").value);
  });

  it("names the user when the value in use was made from something else", () => {
    const { take } = setUp();
    take("k", "hosted");
    assert.throws(() => take("k", "local"), /in the hands of owner of hosted/);
  });

  it("ends a value that is only held and was made from something else, and makes a new one", async () => {
    const { clock, take, ended } = setUp();
    take("k", "hosted").release();
    assert.equal(take("k", "local").value, "value 2");
    assert.deepEqual(ended, ["value 1"]);
    await clock.advance(HOLD_MS);
    assert.deepEqual(ended, ["value 1"]);
  });

  it("tells when a value lost its last user, so that a conflict can be tried again", () => {
    const { take, pool } = setUp();
    const lease = take("k", "hosted");
    let values: string[] = [];
    pool.freed.subscribe(() => {
      if (pool.freed.value > 0) values = [...values, take("k", "local").value];
    });
    lease.release();
    assert.deepEqual(values, ["value 2"]);
  });

  it("ends what is held at once when asked to, and leaves what is used", async () => {
    const { clock, take, ended, pool } = setUp();
    take("used");
    take("held").release();
    pool.endHeld();
    await pool.settled();
    assert.deepEqual(ended, ["value 2"]);
    assert.equal(clock.timerCount, 0);
    assert.equal(pool.size, 1);
  });

  it("is settled only when what it ended has come to its end, and hears of what goes wrong then", async () => {
    let finish: (() => void) | undefined;
    const { take, pool, errors } = setUp(async (value) => {
      await new Promise<void>((resolve) => (finish = resolve));
      throw new Error(`${value} broke`);
    });
    take("k").release();
    pool.endHeld();
    let settled = false;
    const settling = pool.settled().then(() => (settled = true));
    await Promise.resolve();
    assert.equal(settled, false);
    finish?.();
    await settling;
    assert.match(String(errors[0]), /value 1 broke/);
  });
});
