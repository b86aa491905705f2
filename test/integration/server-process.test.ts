import { strict as assert } from "node:assert";
import { login, post, ServerProcess } from "../support/server-process.js";

const STOPPED_MS_MAX = 3_000;
const ACCOUNT = { ACCOUNT_ID: "AC1111", API_KEY: "a".repeat(32) };

const start = (...argv: readonly string[]): ServerProcess => new ServerProcess(argv, ACCOUNT);

const cookieAt = async (url: string): Promise<string> =>
  (await login(url, ACCOUNT.ACCOUNT_ID, ACCOUNT.API_KEY)).cookie;

describe("the process xrtc-server", function () {
  this.timeout(30_000);

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`ends 200 streams cleanly and exits with 0 within 3 s of ${signal} (V3)`, async () => {
      await using server = start("--port", "0", "--bound", "waitingGetsPerSessionMax=200");
      const url = await server.url();
      const cookie = await cookieAt(url);
      const get = { portals: [{ portalid: "P" }], mode: "stream" };
      const streams = await Promise.all(
        Array.from({ length: 200 }, () => post(`${url}/item/get`, get, cookie)),
      );
      const before = performance.now();
      server.kill(signal);
      const texts = await Promise.all(streams.map((stream) => stream.text()));
      assert.deepEqual([...new Set(texts)], ["{}\n"]);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.ok(performance.now() - before < STOPPED_MS_MAX);
      assert.equal((server.out + server.error).includes(ACCOUNT.API_KEY), false);
    });
  }

  it("exits with 1 when its port is taken, and with 2 for wrong arguments", async () => {
    await using first = start("--port", "0");
    const { port } = new URL(await first.url());
    await using second = start("--port", port);
    await using third = start("--prt", port);
    assert.deepEqual(await second.exited, { code: 1, signal: null });
    assert.match(second.error, /the port is taken/);
    assert.deepEqual(await third.exited, { code: 2, signal: null });
  });
});
