import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { TemporaryFolder } from "../support/tree.js";
import { ask } from "./admin.js";
import { catchAll, complete, config, credentials, out, tab } from "./flows.js";
import { badge, badges, errors, type Flow, node, start, stop, taken } from "./runtime.js";
import { variables } from "./variables.js";

const parts = (connection: Flow[number]): Flow => [
  tab,
  connection,
  out({ portal: "hall" }),
  ...complete("o1"),
  ...catchAll,
];

async function caughtError(): Promise<{ readonly message: string; readonly code?: string }> {
  const [caught] = (await taken("caught", 1)) as { error: { message: string; code?: string } }[];
  return caught?.error ?? assert.fail("nothing was caught");
}

async function works(): Promise<void> {
  node("o1").receive({ payload: "x" });
  await taken("completed", 1);
}

describe("An xrtc-config takes account and key", () => {
  afterEach(stop);

  it("from the environment where it is told to, and not from its fields", async () => {
    await using service = await startService();
    await using _variables = variables({ ACCOUNT_ID, API_KEY });
    const connection = config(service.baseUrl, { credentialsFrom: "environment" });
    await start(parts(connection), { c1: { accountId: "AC1", apiKey: "of the fields" } });
    await works();
    const fields = { service: "custom", baseUrl: service.baseUrl, credentialsFrom: "environment" };
    assert.equal((await ask("xrtc/config/c1/test", fields)).status, 200);
    assert.equal(service.server.stats.logins, 1);
  });

  it("from a dotenv file", async () => {
    await using service = await startService();
    using folder = new TemporaryFolder();
    const dotenvFile = join(folder.path, "xrtc.env");
    writeFileSync(dotenvFile, `# mine\nACCOUNT_ID=${ACCOUNT_ID}\nAPI_KEY="${API_KEY}"\n`);
    await start(parts(config(service.baseUrl, { credentialsFrom: "file", dotenvFile })));
    await works();
    await stop();
  });

  it("from the variables that its fields name", async () => {
    await using service = await startService();
    await using _variables = variables({ MY_ACCOUNT: ACCOUNT_ID, MY_KEY: API_KEY });
    await start(parts(config(service.baseUrl)), {
      c1: { accountId: "${MY_ACCOUNT}", apiKey: "${MY_KEY}" },
    });
    await works();
  });
});

describe("R10: without credentials an xrtc-config sends nothing, and its nodes say why", () => {
  afterEach(stop);

  const cases: Readonly<Record<string, readonly [object, Record<string, string>, RegExp]>> = {
    "none are given, as when they cannot be decrypted": [{}, {}, /account id: none is given/],
    "only the account is": [{}, { accountId: ACCOUNT_ID }, /API key: none is given/],
    "the key names a variable that is not set": [
      {},
      { accountId: ACCOUNT_ID, apiKey: "${XRTC_TEST_UNSET}" },
      /variable XRTC_TEST_UNSET is not set/,
    ],
    "the account does": [
      {},
      { accountId: "${XRTC_TEST_UNSET}", apiKey: API_KEY },
      /variable XRTC_TEST_UNSET is not set/,
    ],
    "the environment has none": [
      { credentialsFrom: "environment" },
      { accountId: ACCOUNT_ID, apiKey: API_KEY },
      /ACCOUNT_ID in the environment: none is given/,
    ],
    "the dotenv file is not there": [
      { credentialsFrom: "file", dotenvFile: "/nowhere/xrtc.env" },
      {},
      /dotenvFile: it cannot be read \(ENOENT\)/,
    ],
    "the address names a variable that is not set": [
      { baseUrl: "${XRTC_TEST_UNSET}" },
      credentials["c1"] ?? {},
      /baseUrl: the environment variable XRTC_TEST_UNSET is not set/,
    ],
  };
  for (const [name, [more, saved, reason]] of Object.entries(cases)) {
    it(`because ${name}`, async () => {
      await using service = await startService();
      await using _variables = variables({ ACCOUNT_ID: "", API_KEY: "" });
      await start(parts(config(service.baseUrl, more)), { c1: saved });
      await badge("o1", { fill: "red", shape: "dot" });
      node("o1").receive({ payload: "x" });
      const { message, code } = await caughtError();
      assert.match(message, reason);
      assert.match(String(code), /^XRTC_(CREDENTIALS_MISSING|OPTIONS)$/);
      const { status, body, text } = await ask("xrtc/config/c1/portals");
      assert.deepEqual([status, body["code"]], [400, code]);
      assert.equal(service.server.stats.requests, 0);
      const told = JSON.stringify([badges("o1"), errors("o1").map(String), text, message]);
      assert.ok(!told.includes(API_KEY));
      assert.ok(!told.includes("${"), "the literal is told to nobody");
    });
  }
});
