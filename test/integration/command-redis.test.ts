import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ran, RunningCommand } from "../support/running-command.js";
import { needsRedis, RedisServer } from "../support/redis.js";
import { login, post, ServerProcess } from "../support/server-process.js";
import { TemporaryFolder } from "../support/tree.js";

const PASSWORD = "tellnobody";

/** Asks until the answer has this status. */
async function healthOf(admin: string, status: number): Promise<Record<string, string>> {
  for (;;) {
    const response = await fetch(`${admin}/healthz`);
    const health = (await response.json()) as Record<string, string>;
    if (response.status === status) return health;
  }
}

describe("the command xrtc-server with Redis", function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let redis: RedisServer;
  let options: string[];

  before(async function () {
    needsRedis(this);
    redis = await RedisServer.start({ password: PASSWORD });
    folder = new TemporaryFolder();
    const url = join(folder.path, "url");
    writeFileSync(url, `${redis.url}\n`);
    options = ["--port", "0", "--engine-url-file", url];
  });

  after(async () => {
    folder?.[Symbol.dispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  it("names the durability class and Redis, and never its password", async () => {
    await using running = new RunningCommand([...options, "--log-level", "debug"]);
    await running.url();
    assert.match(running.out, /durability redis, in redis:\/\/127\.0\.0\.1:\d+\n/);
    assert.equal(await running.stop(), 0);
    assert.equal((running.out + running.error).includes(PASSWORD), false);
  });

  it("waits for a Redis that comes later, and is unwell while it is away", async () => {
    await redis.kill("SIGKILL");
    await using running = new RunningCommand([...options, "--metrics", "127.0.0.1:0"]);
    await running.printed(/"event":"engine-unavailable"/);
    assert.equal(running.out, "");
    const admin = await running.printed(/"event":"metrics","message":.*"url":"(http:[^"]+)"/);
    assert.match((await healthOf(admin, 503))["trouble"] ?? "", /no Redis/);
    await redis.restart();
    await running.url();
    assert.deepEqual(await healthOf(admin, 200), { status: "ok" });
    await redis.kill("SIGKILL");
    const { status, trouble } = await healthOf(admin, 503);
    assert.equal(status, "trouble");
    assert.match(trouble ?? "", /^Redis: /);
    assert.match(await (await fetch(`${admin}/metrics`)).text(), /^xrtc_up 0$/m);
    await redis.restart();
    await healthOf(admin, 200);
    assert.equal((running.out + running.error + trouble).includes(PASSWORD), false);
  });

  it("ends while it waits, when it is told to", async () => {
    await redis.kill("SIGKILL");
    await using server = new ServerProcess(options);
    await server.logged(/"event":"engine-unavailable"/);
    server.kill("SIGTERM");
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await redis.restart();
  });

  it("ends within 3 s when it is told to while Redis hangs", async () => {
    await redis.kill("SIGSTOP");
    await using server = new ServerProcess([...options, "--metrics", "127.0.0.1:0"]);
    await server.logged(/"event":"metrics"/);
    const before = performance.now();
    server.kill("SIGTERM");
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(performance.now() - before < 3_900, "3 s, and what a busy machine adds");
    await redis.kill("SIGCONT");
  });

  it("does not start on a Redis that keeps less than it is asked to", async () => {
    const { code, error } = await ran([...options, "--durability", "redis-aof"]);
    assert.equal(code, 2);
    assert.match(error, /append/);
    assert.equal(error.includes(PASSWORD), false);
  });

  it("takes a key away in every process that reads the accounts", async () => {
    const accounts = join(folder.path, "accounts.json");
    const added = await ran(["account", "add", "--accounts", accounts]);
    const [, accountId = "", apiKey = ""] = /=(AC\d+)\nAPI_KEY=(\w+)\n/.exec(added.out) ?? [];
    await ran(["account", "add", "--accounts", accounts]);
    const args = [...options, "--accounts", accounts];
    await using one = new RunningCommand(args);
    await using other = new RunningCommand(args);
    const { cookie } = await login(await one.url(), accountId, apiKey);
    const set = { items: [{ portalid: "P", payload: "1" }] };
    const [first, second] = [await one.url(), await other.url()];
    assert.equal((await post(`${second}/item/set`, set, cookie)).status, 200);
    const get = { portals: [{ portalid: "Q" }], mode: "stream" };
    const stream = await post(`${second}/item/get`, get, cookie);
    await ran(["account", "remove", "--accounts", accounts, "--account", accountId, "--all"]);
    other.reload();
    assert.equal(await stream.text(), "{}\n");
    assert.equal((await post(`${second}/item/set`, set, cookie)).status, 401);
    one.reload();
    await one.printed(/"accounts-read"/);
    assert.equal((await post(`${first}/item/set`, set, cookie)).status, 401);
    assert.equal((await login(first, accountId, apiKey)).status, 400);
  });
});
