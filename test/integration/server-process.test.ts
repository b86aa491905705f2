import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const CLI = join(__dirname, "../../src/server/cli.ts");
const STOPPED_MS_MAX = 3_000;
const ACCOUNT = { ACCOUNT_ID: "AC1111", API_KEY: "a".repeat(32) };

/** The command in a process of its own. */
class ServerProcess implements AsyncDisposable {
  out = "";
  error = "";
  readonly #child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;

  constructor(...argv: readonly string[]) {
    const args = ["--import", "tsx", CLI, ...argv];
    const env = { PATH: process.env["PATH"], ...ACCOUNT };
    this.#child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.error += text));
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** The base URL, once the command has printed it. */
  async url(): Promise<string> {
    for (;;) {
      const url = /listens on (http:\S+)\n/.exec(this.out)?.[1];
      if (url !== undefined) return url;
      assert.equal(this.#child.exitCode, null, this.error);
      await Promise.race([once(this.#child.stdout as NodeJS.EventEmitter, "data"), this.exited]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}

async function post(url: string, body: object, cookie = ""): Promise<Response> {
  return fetch(url, { method: "POST", body: JSON.stringify(body), headers: { cookie } });
}

async function cookieAt(url: string): Promise<string> {
  const { ACCOUNT_ID: accountid, API_KEY: apikey } = ACCOUNT;
  const response = await post(`${url}/auth/login`, { accountid, apikey });
  await response.text();
  return response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}

describe("the process xrtc-server", function () {
  this.timeout(30_000);

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`ends its streams cleanly and exits with 0 within 3 s of ${signal}`, async () => {
      await using server = new ServerProcess("--port", "0");
      const url = await server.url();
      const cookie = await cookieAt(url);
      const get = { portals: [{ portalid: "P" }], mode: "stream" };
      const streams = await Promise.all([1, 2, 3].map(() => post(`${url}/item/get`, get, cookie)));
      const before = performance.now();
      server.kill(signal);
      const texts = await Promise.all(streams.map((stream) => stream.text()));
      assert.deepEqual(texts, ["{}\n", "{}\n", "{}\n"]);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.ok(performance.now() - before < STOPPED_MS_MAX);
      assert.equal((server.out + server.error).includes(ACCOUNT.API_KEY), false);
    });
  }

  it("exits with 1 when its port is taken, and with 2 for wrong arguments", async () => {
    await using first = new ServerProcess("--port", "0");
    const { port } = new URL(await first.url());
    await using second = new ServerProcess("--port", port);
    await using third = new ServerProcess("--prt", port);
    assert.deepEqual(await second.exited, { code: 1, signal: null });
    assert.match(second.error, /the port is taken/);
    assert.deepEqual(await third.exited, { code: 2, signal: null });
  });
});
