import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeAPI } from "node-red";
import { destinationOf } from "../../../nodes/lib/destination.js";
import { readConfigSettings } from "../../../nodes/lib/settings/config.js";
import { ACCOUNT_ID, API_KEY } from "../../support/service.js";
import { TemporaryFolder } from "../../support/tree.js";

/** Account of a configuration with a dotenv file, in a runtime with these settings. */
function accountFrom(dotenvFile: string, settings: object): string {
  const RED = { settings, nodes: { getNode: () => null } } as unknown as NodeAPI;
  const fields = { service: "custom", baseUrl: "http://127.0.0.1:9/v1" };
  const destination = destinationOf(
    RED,
    readConfigSettings({ ...fields, credentialsFrom: "file", dotenvFile }),
    undefined,
  );
  return destination.kind === "fixed" ? destination.target().accountId : assert.fail();
}

describe("where a configuration leads", () => {
  it("is looked up when somebody asks, with a dotenv file beside the flows or where files are", () => {
    using folder = new TemporaryFolder();
    const { path } = folder;
    mkdirSync(join(path, "files"));
    const write = (name: string, accountId: string): void =>
      writeFileSync(join(path, name), `ACCOUNT_ID=${accountId}\nAPI_KEY=${API_KEY}\n`);
    write("mine.env", ACCOUNT_ID);
    write("files/mine.env", "AC2");
    assert.equal(accountFrom("mine.env", { userDir: path }), ACCOUNT_ID);
    const fileWorkingDirectory = join(path, "files");
    assert.equal(accountFrom("mine.env", { userDir: path, fileWorkingDirectory }), "AC2");
    assert.equal(accountFrom(join(path, "mine.env"), { userDir: "/nowhere" }), ACCOUNT_ID);
    assert.throws(() => accountFrom("mine.env", { userDir: "/nowhere" }), /ENOENT/);
  });
});
