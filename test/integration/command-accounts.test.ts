import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ran, RunningCommand } from "../support/running-command.js";
import { login, post, ServerProcess } from "../support/server-process.js";
import { TemporaryFolder } from "../support/tree.js";

interface Made {
  readonly accountId: string;
  readonly apiKey: string;
}

describe("xrtc-server account", function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let path: string;
  beforeEach(() => {
    folder = new TemporaryFolder();
    path = join(folder.path, "accounts.json");
  });
  afterEach(() => folder[Symbol.dispose]());

  /** Makes a key. */
  async function add(...args: readonly string[]): Promise<Made> {
    const { code, out, error } = await ran(["account", "add", "--accounts", path, ...args]);
    assert.equal(code, 0, error);
    const [, accountId = "", apiKey = ""] =
      /ACCOUNT_ID=(AC\d+)\nAPI_KEY=(\w{32})\n/.exec(out) ?? [];
    return { accountId, apiKey };
  }

  const list = async (): Promise<string> =>
    (await ran(["account", "list", "--accounts", path])).out;

  const remove = (...args: readonly string[]): ReturnType<typeof ran> =>
    ran(["account", "remove", "--accounts", path, ...args]);

  it("makes an account and a key, and keeps nothing of the key but its SHA-256", async () => {
    const { accountId, apiKey } = await add("--name", "the house");
    const text = readFileSync(path, "utf8");
    assert.equal(text.includes(apiKey), false);
    assert.ok(text.includes(createHash("sha256").update(apiKey).digest("hex")));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder.path), ["accounts.json"], "nothing is left beside it");
    const listed = await list();
    assert.match(listed, new RegExp(`^${accountId}  \\d{4}-\\d\\d-\\d\\d  the house\n$`));
    await using server = new RunningCommand(["--port", "0", "--accounts", path]);
    const url = await server.url();
    assert.match(server.out, /accounts 1, keys 1\n/);
    assert.equal((await login(url, accountId, apiKey)).status, 200);
    assert.equal((await login(url, accountId, "f".repeat(32))).status, 400);
  });

  it("gives an account up to ten keys, each with a name of its own", async () => {
    const { accountId } = await add();
    for (let at = 2; at <= 10; at += 1) await add("--account", accountId);
    assert.match(await list(), /key1\n[^]*key10\n$/);
    const eleventh = await ran(["account", "add", "--accounts", path, "--account", accountId]);
    assert.equal(eleventh.code, 2);
    assert.match(eleventh.error, /has 10 keys already/);
    assert.equal((await remove("--account", accountId, "--name", "key4")).code, 0);
    await add("--account", accountId);
    assert.match(await list(), /key3\n[^]*key5\n[^]*key4\n$/);
    const twice = ["account", "add", "--accounts", path, "--account", accountId, "--name", "key5"];
    await remove("--account", accountId, "--name", "key1");
    assert.match((await ran(twice)).error, /has a key of this name/);
  });

  it("removes a key, or all of an account", async () => {
    const [first, second] = [await add(), await add()];
    assert.match((await remove("--account", first.accountId)).error, /--name, or --all/);
    assert.match((await remove("--account", "AC9", "--all")).error, /there is no AC9/);
    const missing = await remove("--account", first.accountId, "--name", "x");
    assert.match(missing.error, /no key of this name/);
    await remove("--account", first.accountId, "--name", "key1");
    assert.equal((await list()).includes(first.accountId), false);
    await remove("--account", second.accountId, "--all");
    assert.equal(await list(), "");
  });

  it("changes the file that a link leads to, and leaves its readers their leave", async () => {
    await add();
    chmodSync(path, 0o640);
    const link = join(folder.path, "link.json");
    symlinkSync(path, link);
    const { code } = await ran(["account", "add"], { XRTC_SERVER_ACCOUNTS: link });
    assert.equal(code, 0);
    assert.equal((await list()).split("\n").length, 3);
    assert.equal(statSync(path).mode & 0o777, 0o640);
  });

  it("finds the file in the config file, beside it", async () => {
    const config = join(folder.path, "config.json");
    writeFileSync(config, '{ "accounts": "accounts.json", "port": 0 }');
    assert.equal((await ran(["account", "add", "--config", config])).code, 0);
    assert.match(await list(), /key1/);
    await using server = new RunningCommand([], { XRTC_SERVER_CONFIG: config });
    await server.url();
    assert.match(server.out, /accounts 1, keys 1\n/);
  });

  it("changes nothing while somebody else does, nor what it does not understand", async () => {
    const { accountId } = await add();
    writeFileSync(`${path}.lock`, "");
    const locked = await ran(["account", "add", "--accounts", path]);
    assert.equal(locked.code, 2);
    assert.match(locked.error, /it is being changed; if by nobody, remove .*accounts\.json\.lock/);
    assert.equal((await list()).split("\n").length, 2);
    const other = join(folder.path, "other.json");
    for (const [text, pattern] of [
      ["secret", /no JSON/],
      ['{ "version": 2, "accounts": [] }', /version/],
      [
        `{ "version": 1, "accounts": [{ "accountId": "${accountId}", "kays": [] }] }`,
        /accounts\.0/,
      ],
    ] as const) {
      writeFileSync(other, text);
      const { code, error } = await ran(["account", "add", "--accounts", other]);
      assert.equal(code, 2);
      assert.match(error, pattern);
      assert.equal(error.includes("secret"), false);
      assert.equal(readFileSync(other, "utf8"), text);
      assert.equal((await ran(["--port", "0", "--accounts", other])).code, 2);
    }
  });

  it("says what is missing or wrong", async () => {
    const wrong: readonly [readonly string[], RegExp][] = [
      [["account"], /expected add, list, remove/],
      [["account", "make"], /got "make"/],
      [["account", "add"], /there is no file of accounts/],
      [["account", "add", "--accounts", path, "--account", "BC1"], /AC and up to 30 digits/],
      [["account", "add", "--accounts", path, "--name", "\n"], /printable/],
      [
        ["account", "add", "--accounts", join(folder.path, "no", "x.json")],
        /no such file or folder/,
      ],
      [["account", "list", "--accounts", path], /no such file/],
      [["account", "list", "--accounts", path, "--port", "1"], /--port/],
    ];
    for (const [argv, pattern] of wrong) {
      const { code, error } = await ran(argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(error, pattern);
    }
  });

  it("is obeyed by a server that runs, at SIGHUP or by itself", async () => {
    const [first, second] = [await add(), await add()];
    await using server = new ServerProcess(["--port", "0", "--accounts", path]);
    const url = await server.url();
    const { cookie } = await login(url, first.accountId, first.apiKey);
    const get = { portals: [{ portalid: "P" }], mode: "stream" };
    const stream = await post(`${url}/item/get`, get, cookie);
    await remove("--account", first.accountId, "--all");
    server.kill("SIGHUP");
    assert.equal(await stream.text(), "{}\n");
    assert.equal((await login(url, first.accountId, first.apiKey)).status, 400);
    assert.equal((await login(url, second.accountId, second.apiKey)).status, 200);
    // Nobody tells it of the next one, and nobody stops it for a file that it cannot read.
    const third = await add();
    await server.logged(/"accounts-read".*\n[^]*"accounts-read".*"accounts":2/);
    assert.equal((await login(url, third.accountId, third.apiKey)).status, 200);
    writeFileSync(path, "secret");
    await server.logged(/"accounts-refused".*no JSON/);
    assert.equal((await login(url, third.accountId, "f".repeat(32))).status, 400);
    server.kill("SIGTERM");
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.equal(server.error.includes("secret"), false);
  });
});
