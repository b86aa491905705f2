import { strict as assert } from "node:assert";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type CommandPorts, runServerCommand } from "../../../src/server/command.js";
import { ALICE } from "./core-harness.js";

/** A command that runs in this process. */
class Running {
  out = "";
  error = "";
  readonly code: Promise<number>;
  readonly #stop = new AbortController();
  #greeted: () => void = () => {};
  readonly greeted = new Promise<void>((resolve) => {
    this.#greeted = resolve;
  });

  constructor(
    argv: readonly string[],
    environment: CommandPorts["environment"] = {},
    files: Readonly<Record<string, string>> = {},
  ) {
    this.code = runServerCommand(argv, {
      environment,
      version: "1.2.3",
      stop: this.#stop.signal,
      readFile: (path) => {
        const text = files[path];
        if (text === undefined) throw new Error(`no such file: ${path}`);
        return text;
      },
      stdout: (text) => {
        this.out += text;
        this.#greeted();
      },
      stderr: (text) => {
        this.error += text;
      },
    });
  }

  /** Stops the command. @returns its exit code */
  async stop(): Promise<number> {
    this.#stop.abort();
    return this.code;
  }

  get url(): string {
    return /http:\S+/.exec(this.out)?.[0] ?? "";
  }

  async login(accountid: string, apikey: string): Promise<number> {
    const body = JSON.stringify({ accountid, apikey });
    const response = await fetch(`${this.url}/auth/login`, { method: "POST", body });
    await response.text();
    return response.status;
  }
}

const CREDENTIALS = ["--account", ALICE.accountId, "--key", ALICE.apiKey];

describe("the command xrtc-server", () => {
  it("prints address, preset and durability when it listens, and stops cleanly", async () => {
    const running = new Running(["--port", "0", "--preset", "hosted", ...CREDENTIALS]);
    await running.greeted;
    assert.match(running.out, /listens on http:\/\/127\.0\.0\.1:\d+\/v1\n/);
    assert.match(running.out, /preset hosted, durability memory\n/);
    assert.equal(running.out.includes(ALICE.apiKey), false);
    assert.equal(await running.login(ALICE.accountId, ALICE.apiKey), 200);
    assert.equal(await running.stop(), 0);
  });

  it("takes credentials from the arguments, else the environment, else the file", async () => {
    const file = { "x.env": `ACCOUNT_ID=AC3\nAPI_KEY="${"f".repeat(32)}"\n` };
    const environment = { ACCOUNT_ID: "AC2", API_KEY: "" };
    const running = new Running(
      ["--port", "0", "--env-file", "x.env", "--account", "AC1"],
      environment,
      file,
    );
    await running.greeted;
    assert.equal(await running.login("AC1", "f".repeat(32)), 200);
    assert.equal(await running.stop(), 0);
    const second = new Running(["--port", "0", "--env-file", "x.env"], environment, file);
    await second.greeted;
    assert.equal(await second.login("AC2", "f".repeat(32)), 200);
    await second.stop();
  });

  it("makes an account and a key when there are none, and prints them once", async () => {
    const running = new Running(["--port", "0"]);
    await running.greeted;
    const accountId = /ACCOUNT_ID=(AC\d+)/.exec(running.out)?.[1] ?? "";
    const apiKey = /API_KEY=(\w{32})\n/.exec(running.out)?.[1] ?? "";
    assert.equal(await running.login(accountId, apiKey), 200);
    await running.stop();
    assert.equal((running.out + running.error).split(apiKey).length, 2);
    const other = new Running(["--port", "0"]);
    await other.greeted;
    await other.stop();
    assert.equal(other.out.includes(apiKey), false);
  });

  it("ends with 1 and names the port when it is taken", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const running = new Running(["--port", String(port), ...CREDENTIALS]);
    assert.equal(await running.code, 1);
    assert.match(running.error, new RegExp(`port ${port}: the port is taken`));
    assert.equal(running.out, "");
    holder.close();
  });

  it("ends with 2 and says what is wrong with its arguments", async () => {
    const wrong: readonly [readonly string[], RegExp][] = [
      [["--prt", "1"], /--prt/],
      [["--port", "x"], /--port: .*"x"/],
      [["--port", "65536"], /--port/],
      [["--port"], /--port/],
      [["--preset", "huge"], /--preset: expected local or hosted, got "huge"/],
      [["extra"], /extra/],
      [["--account", "AC1"], /no API key/],
      [["--key", ALICE.apiKey], /no account id/],
      [["--account", "AC1", "--key", "SHORTKEY"], /API key is 32/],
      [["--env-file", "none.env"], /none\.env/],
      [["--host", "0.0.0.0"], /beyond this machine/],
    ];
    for (const [argv, message] of wrong) {
      const running = new Running(argv);
      assert.equal(await running.code, 2, argv.join(" "));
      assert.match(running.error, message);
      assert.equal(running.out, "");
      assert.equal(running.error.includes("SHORTKEY"), false);
    }
  });

  it("explains itself", async () => {
    const help = new Running(["--help"]);
    assert.equal(await help.code, 0);
    for (const option of ["port", "host", "account", "key", "preset", "env-file", "version"]) {
      assert.ok(help.out.includes(`--${option}`), option);
    }
    const version = new Running(["--version"]);
    assert.equal(await version.code, 0);
    assert.equal(version.out, "1.2.3\n");
  });
});
