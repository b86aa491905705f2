import { strict as assert } from "node:assert";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { MEMBERS, OPTION_SPECS, variableOf } from "../../src/server/command/config-options.js";
import { ran, RunningCommand } from "../support/running-command.js";
import { login } from "../support/server-process.js";
import { TemporaryFolder } from "../support/tree.js";

const ALICE = { accountId: "AC1111", apiKey: "a".repeat(32) };
const CREDENTIALS = ["--account", ALICE.accountId, "--key", ALICE.apiKey];

/** What it prints until it listens. */
const listening = async (
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<string> => {
  await using running = new RunningCommand([...argv, ...CREDENTIALS], environment);
  await running.url();
  return running.out + running.error;
};

describe("the command xrtc-server", () => {
  let folder: TemporaryFolder;
  beforeEach(() => (folder = new TemporaryFolder()));
  afterEach(() => folder[Symbol.dispose]());

  const file = (name: string, content: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    return path;
  };

  it("prints address, preset and durability when it listens, and stops cleanly", async () => {
    const running = new RunningCommand(["--port", "0", "--preset", "hosted", ...CREDENTIALS]);
    const url = await running.url();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    assert.match(running.out, /preset hosted, durability memory\naccounts 1, keys 1\n$/);
    assert.equal((await login(url, ALICE.accountId, ALICE.apiKey)).status, 200);
    assert.equal(await running.stop(), 0);
    assert.equal((running.out + running.error).includes(ALICE.apiKey), false);
  });

  it("takes credentials from the arguments, else the environment, else the dotenv file", async () => {
    const path = file("x.env", `ACCOUNT_ID=AC3\nAPI_KEY="${"f".repeat(32)}"\n`);
    const environment = { ACCOUNT_ID: "AC2", API_KEY: "" };
    const args = ["--port", "0", "--env-file", path];
    await using first = new RunningCommand([...args, "--account", "AC1"], environment);
    assert.equal((await login(await first.url(), "AC1", "f".repeat(32))).status, 200);
    await using second = new RunningCommand(args, environment);
    assert.equal((await login(await second.url(), "AC2", "f".repeat(32))).status, 200);
  });

  it("takes options from arguments, else variables, else the dotenv file, else the config file", async () => {
    const config = file(
      "config.json5",
      `{ port: 0, preset: "hosted", logLevel: "error", // a comment
         limits: { ringItemsMax: 1, portalsMax: 2 }, hostNames: ["a", "b"] }`,
    );
    const dotenv = file("x.env", "XRTC_SERVER_LOG_LEVEL=info\nXRTC_SERVER_PRESET=local\n");
    const plain = await listening(["--config", config]);
    assert.match(plain, /preset hosted/);
    assert.equal(plain.includes('"listening"'), false, "the level of the file");
    const dotted = await listening(["--config", config, "--env-file", dotenv]);
    assert.match(dotted, /preset local/);
    assert.match(dotted, /"event":"listening"/);
    const environment = { XRTC_SERVER_CONFIG: config, XRTC_SERVER_PRESET: "local" };
    assert.match(await listening([], environment), /preset local/);
    assert.match(await listening(["--preset", "hosted"], environment), /preset hosted/);
  });

  it("merges limits, bounds and extensions by their names", async () => {
    const config = file("config.json", '{ "port": 0, "limits": { "portalsMax": 1 } }');
    const environment = { XRTC_SERVER_LIMITS: "requestsPerSecondMax=1000,loginIntervalMsMin=0" };
    await using running = new RunningCommand(
      ["--config", config, "--limit", "loginIntervalMsMin=60000", "--extension", "seq=off"],
      { ...environment, ACCOUNT_ID: ALICE.accountId, API_KEY: ALICE.apiKey },
    );
    const url = await running.url();
    const body = JSON.stringify({ accountid: ALICE.accountId, apikey: ALICE.apiKey });
    const first = await fetch(`${url}/auth/login`, { method: "POST", body });
    const { extensions } = (await first.json()) as { extensions: string[] };
    assert.deepEqual(extensions, ["idempotency", "order"]);
    const cookie = first.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const second = await fetch(`${url}/auth/login`, { method: "POST", body });
    assert.match(await second.text(), /"errorcode":45/, "the argument's login interval");
    const items = ["A", "B"].map((portalid) => ({ portalid, payload: "x" }));
    const set = { method: "POST", body: JSON.stringify({ items }), headers: { cookie } };
    assert.match(await (await fetch(`${url}/item/set`, set)).text(), /at most 1 portals/);
  });

  it("makes an account and a key when there are none, and prints them once", async () => {
    await using running = new RunningCommand(["--port", "0"]);
    const url = await running.url();
    const accountId = await running.printed(/ACCOUNT_ID=(AC\d+)/);
    const apiKey = await running.printed(/API_KEY=(\w{32})\n/);
    assert.equal((await login(url, accountId, apiKey)).status, 200);
    await running.stop();
    assert.equal((running.out + running.error).split(apiKey).length, 2);
    await using other = new RunningCommand(["--port", "0"]);
    await other.url();
    assert.equal(other.out.includes(apiKey), false);
  });

  it("writes its log as one JSON object a line, from the level that was asked for", async () => {
    await using running = new RunningCommand(["--port", "0", ...CREDENTIALS]);
    const url = await running.url();
    await login(url, ALICE.accountId, "f".repeat(32));
    await running.stop();
    assert.deepEqual(
      running.log.map(({ level, event }) => `${String(level)} ${String(event)}`),
      ["info listening", "warn login-refused", "info stopping"],
    );
    const [first] = running.log;
    assert.equal(first?.["url"], url);
    assert.match(String(first?.["time"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(running.error.split("\n").length, 4, "and nothing else");
  });

  it("tells when an address has had its share of refusals, and then no more of it", async () => {
    await using running = new RunningCommand(["--port", "0", ...CREDENTIALS]);
    const url = await running.url();
    for (let at = 0; at < 30; at += 1) await login(url, ALICE.accountId, "f".repeat(32));
    const refused = running.log.filter(({ event }) => event === "login-refused");
    assert.equal(refused.length, 20);
    assert.match(String(refused.at(-1)?.["message"]), /others are turned away/);
  });

  it("counts refusals that come in masses instead of writing each", async () => {
    const patient = ["--bound", "failuresPerMinuteMax=1000"];
    await using running = new RunningCommand(["--port", "0", ...patient, ...CREDENTIALS]);
    const url = await running.url();
    for (let at = 0; at < 80; at += 1) await login(url, ALICE.accountId, "f".repeat(32));
    assert.equal(running.log.filter(({ event }) => event === "login-refused").length, 50);
  });

  it("ends with 1 and names the port when it is taken", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { code, out, error } = await ran(["--port", String(port), ...CREDENTIALS]);
    const metrics = await ran(["--port", "0", "--metrics", `127.0.0.1:${port}`, ...CREDENTIALS]);
    holder.close();
    assert.equal(code, 1);
    assert.match(error, new RegExp(`port ${port}: the port is taken`));
    assert.equal(out, "");
    assert.equal(metrics.code, 1);
    assert.match(metrics.error, new RegExp(`metrics on 127.0.0.1 port ${port}: the port is taken`));
  });

  it("ends with 2 and says what is wrong with its arguments", async () => {
    const wrong: readonly [readonly string[], RegExp][] = [
      [["--prt", "1"], /--prt/],
      [["--port", "x"], /--port: expected a number, got "x"/],
      [["--port", "65536"], /--port: .*65535/],
      [["--port"], /--port/],
      [["--preset", "huge"], /--preset: .*"hosted"\|"local"/],
      [["--log-level", "loud"], /--log-level: .*"warn"/],
      [["--limit", "ringItemsMax"], /--limit: expected name=value/],
      [["--limit", "ringItemsMx=1"], /--limit\.ringItemsMx: there is no such member/],
      [["--limit", "ringItemsMax=x"], /--limit ringItemsMax: expected a number/],
      [["--extension", "seq=maybe"], /--extension seq: expected on or off/],
      [["--trusted-proxy", "here"], /--trusted-proxy\.0: /],
      [["--metrics", "9464"], /--metrics: expected an address and a port/],
      [["--engine", "mysql://secret@x"], /engine: .*redis:\/\//],
      [["--durability", "redis"], /durability: only an engine in Redis/],
      [["--tls-cert", "x.pem"], /give --tls-key/],
      [["--tls-key", "x.pem"], /give --tls-cert/],
      [["--tls-key", "x.pem", "--tls-cert", "none.pem"], /none\.pem: there is no such file/],
      [["--accounts", "none.json"], /none\.json: there is no such file/],
      [["--config", "none.json"], /none\.json: there is no such file/],
      [["extra"], /extra/],
      [["--account", "AC1"], /no API key/],
      [["--key", ALICE.apiKey], /no account id/],
      [["--account", "AC1", "--key", "secretkey"], /API key is 32/],
      [["--env-file", "none.env"], /none\.env/],
      [["--host", "0.0.0.0"], /beyond this machine/],
      [
        ["--host", "0.0.0.0", "--allow-insecure", "--account", "AC0987654321012345"].concat([
          "--key",
          ALICE.apiKey,
        ]),
        /sample account/,
      ],
    ];
    for (const [argv, message] of wrong) {
      const { code, out, error } = await ran(argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(error, message);
      assert.equal(out, "");
      assert.equal(error.includes("secret"), false);
    }
  });

  it("ends with 2 and says where its config file or a variable is wrong", async () => {
    const wrong: readonly [string, RegExp][] = [
      ["{ port: 0, prt: 1 }", /wrong\.json: prt: there is no such member/],
      ['{ "limits": { "ringItemsMx": 1 } }', /limits\.ringItemsMx: there is no such member/],
      ['{ "port": "1" }', /port: .*expected number/],
      ['{ "engine": "secret", ', /no JSON5, at line 1:23/],
      ["[]", /expected one object/],
      ['{ "tls": { "cert": "x" } }', /tls: there is no such member/],
    ];
    for (const [text, message] of wrong) {
      const { code, error } = await ran(["--config", file("wrong.json", text)]);
      assert.equal(code, 2, text);
      assert.match(error, message);
      assert.equal(error.includes("secret"), false);
    }
    const { code, error } = await ran([], { XRTC_SERVER_PRT: "1" });
    assert.equal(code, 2);
    assert.match(error, /XRTC_SERVER_PRT: there is no such variable/);
  });

  it("is not misled by the variables that Kubernetes makes of a service's name", async () => {
    const environment = {
      XRTC_SERVER_PORT: "tcp://10.0.0.7:8480",
      XRTC_SERVER_SERVICE_HOST: "10.0.0.7",
      XRTC_SERVER_PORT_8480_TCP_ADDR: "10.0.0.7",
    };
    await using running = new RunningCommand(["--port", "0"], environment);
    await running.url();
  });

  it("explains itself, with every option there is", async () => {
    const help = await ran(["--help"]);
    assert.equal(help.code, 0);
    const others = ["account", "key", "env-file", "config", "help", "version"];
    const options = MEMBERS.map((member) => OPTION_SPECS[member].argument);
    for (const option of [...options, ...others])
      assert.ok(help.out.includes(`--${option}`), option);
    assert.equal(variableOf("tlsPassphraseFile"), "XRTC_SERVER_TLS_PASSPHRASE_FILE");
    assert.deepEqual(await ran(["--version"]), { code: 0, out: "1.2.3\n", error: "" });
    assert.match((await ran(["account", "--help"])).out, /account add/);
  });
});
