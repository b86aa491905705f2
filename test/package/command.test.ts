import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { installPacked, manifest } from "../support/packed.js";
import { TemporaryFolder } from "../support/tree.js";

describe("the packed command xrtc-server", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let command: string;

  before(async () => {
    folder = new TemporaryFolder();
    const target = await installPacked(folder);
    command = join(target, manifest.bin["xrtc-server"] ?? "");
  });
  after(() => folder[Symbol.dispose]());

  const start = (...argv: readonly string[]) =>
    spawn(process.execPath, [command, ...argv], {
      cwd: folder.path,
      stdio: ["ignore", "pipe", "pipe"],
    });

  it("says what to install where there is no client of Redis", async () => {
    const child = start("--port", "0", "--engine", "redis://127.0.0.1:1");
    const ended = once(child, "close");
    assert.match(await text(child.stderr), /npm install ioredis/);
    assert.deepEqual(await ended, [2, null]);
  });

  it("loads nothing for metrics that nobody asks for", async () => {
    rmSync(join(folder.path, "node_modules", "prom-client"));
    const child = start("--port", "0");
    try {
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      assert.match(line.toString(), /^XRTC server listens on http/);
    } finally {
      child.kill("SIGTERM");
    }
    assert.deepEqual(await once(child, "close"), [0, null]);
  });
});
