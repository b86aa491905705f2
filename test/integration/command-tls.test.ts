import { strict as assert } from "node:assert";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { XrtcClient } from "../../src/index.js";
import { Authority, type Certificate } from "../support/certificates.js";
import { ran, RunningCommand } from "../support/running-command.js";
import { ACCOUNT_ID, API_KEY, credentials } from "../support/service.js";
import { TemporaryFolder } from "../support/tree.js";

const authority = new Authority();
const issue = (): Certificate => authority.issue("127.0.0.1");

/** The fingerprint of the certificate that a server shows. */
const shownAt = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const socket = connect({ port: Number(port), host: "127.0.0.1", ca: authority.cert }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
      socket.destroy();
    });
    socket.once("error", reject);
  });

describe("the command xrtc-server with TLS", () => {
  let folder: TemporaryFolder;
  let options: string[];
  beforeEach(() => {
    folder = new TemporaryFolder();
    const paths = ["--tls-cert", join(folder.path, "cert"), "--tls-key", join(folder.path, "key")];
    options = ["--port", "0", "--account", ACCOUNT_ID, "--key", API_KEY, ...paths];
  });
  afterEach(() => folder[Symbol.dispose]());

  /** Puts a file in its place, as a program that renews certificates does. */
  function put(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder.path, `${name}.new`), content);
      renameSync(join(folder.path, `${name}.new`), join(folder.path, name));
    }
  }

  const start = (): RunningCommand => new RunningCommand(options);

  it("speaks HTTPS, also beyond this machine", async () => {
    put({ ...issue() });
    options.push("--host", "0.0.0.0");
    await using running = start();
    const baseUrl = await running.url();
    assert.match(baseUrl, /^https:/);
    await using client = new XrtcClient({ ...credentials, baseUrl, tls: { ca: authority.cert } });
    await client.setItems([{ portalId: "hall", payload: "1" }]);
    await running.stop();
    assert.equal((running.out + running.error).includes("PRIVATE"), false);
    // Those for tests are good for a day.
    assert.ok(running.log.some(({ event }) => event === "certificate-ends"));
  });

  it("takes a renewed certificate when it is told to, and keeps the old one when it is no pair", async () => {
    put({ ...issue() });
    await using running = start();
    const url = await running.url();
    const first = await shownAt(url);
    const next = issue();
    put({ cert: next.cert });
    running.reload();
    await running.printed(/"certificate-refused".*does not belong/);
    assert.equal(await shownAt(url), first);
    put({ key: next.key });
    running.reload();
    await running.printed(/"certificate-read"/);
    assert.notEqual(await shownAt(url), first);
  });

  it("notices a renewed certificate by itself", async () => {
    put({ ...issue() });
    await using running = start();
    const first = await shownAt(await running.url());
    put({ ...issue() });
    await running.printed(/"certificate-read"/);
    assert.notEqual(await shownAt(await running.url()), first);
  });

  it("does not start with files that do not fit, and says why", async () => {
    const [one, other] = [issue(), issue()];
    for (const [files, pattern] of [
      [{ cert: one.cert, key: other.key }, /does not belong to the certificate/],
      [{ cert: one.key, key: one.key }, /no certificate in PEM form/],
      [{ cert: one.cert, key: one.cert }, /no private key in PEM form/],
    ] as const) {
      put(files);
      const { code, error } = await ran(options);
      assert.equal(code, 2);
      assert.match(error, pattern);
      assert.equal(error.includes("-----"), false);
    }
  });
});
