import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import {
  credentialsFrom,
  credentialsOf,
  randomCredentials,
  serverCredentialsOf,
} from "../../../nodes/lib/credentials.js";
import { isXrtcError } from "../../../src/errors.js";
import { isAccountId, isApiKey } from "../../../src/protocol/item.js";

const missing = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_CREDENTIALS_MISSING") && pattern.test(error.message);

describe("the credentials of a node", () => {
  const environment = { ACCOUNT_ID: "AC2", API_KEY: "fromEnvironment" };

  it("come from the node's fields first, and from the environment for those that are blank", () => {
    const mixed = credentialsOf({ accountId: " AC1 ", apiKey: "" }, environment);
    assert.equal(mixed.accountId, "AC1");
    assert.equal(mixed.apiKey.reveal(), "fromEnvironment");
    assert.equal(credentialsOf(undefined, environment).accountId, "AC2");
  });

  it("are missing, and say which, when they are nowhere", () => {
    assert.throws(() => credentialsOf({ accountId: "AC1" }, {}), missing(/API key/));
    assert.throws(() => credentialsOf({}, { API_KEY: "k" }), missing(/account id/));
  });

  it("are missing, and say which variable, when a reference stayed a reference", () => {
    assert.throws(
      () => credentialsOf({ accountId: "${MY_ACCOUNT}", apiKey: "k" }, environment),
      missing(/MY_ACCOUNT is not set/),
    );
  });

  it("come from the environment or a dotenv file alone where the settings say so", () => {
    const files: Record<string, string> = {
      "xrtc.env": "# mine\nACCOUNT_ID=AC3\nAPI_KEY='from file'\n",
      "half.env": "ACCOUNT_ID=AC3\nAPI_KEY=\n",
      "literal.env": "ACCOUNT_ID=AC3\nAPI_KEY=${OTHER}\n",
    };
    const from = (source: "environment" | "file", dotenvFile = "", values: object = environment) =>
      credentialsFrom(
        { credentialsFrom: source, dotenvFile },
        {
          saved: { accountId: "AC1", apiKey: "saved" },
          environment: values as Record<string, string>,
          readText: (path) =>
            files[path] ?? assert.fail(Object.assign(new Error("secret"), { code: "ENOENT" })),
        },
      );
    assert.deepEqual(
      [from("environment"), from("file", "xrtc.env")].map(({ accountId, apiKey }) => [
        accountId,
        apiKey.reveal(),
      ]),
      [
        ["AC2", "fromEnvironment"],
        ["AC3", "from file"],
      ],
    );
    assert.throws(() => from("environment", "", {}), missing(/ACCOUNT_ID in the environment/));
    assert.throws(() => from("file", "half.env"), missing(/API_KEY in the dotenv file/));
    assert.throws(() => from("file", "literal.env"), missing(/OTHER is not set/));
    for (const path of ["", "gone.env"]) {
      assert.throws(
        () => from("file", path),
        (error) =>
          isXrtcError(error, "XRTC_OPTIONS") && /dotenvFile: (none|.*ENOENT)/.test(error.message),
      );
    }
  });

  it("cannot be printed by accident", () => {
    const printed = inspect(credentialsOf({ accountId: "AC1", apiKey: "secret" }, {}));
    assert.doesNotMatch(printed, /secret/);
  });

  it("of a server are made up when the user set none, and asked for when the user set half", () => {
    const spare = randomCredentials(randomBytes);
    assert.equal(
      serverCredentialsOf({ accountId: " " }, () => spare),
      spare,
    );
    assert.throws(() => serverCredentialsOf({ accountId: "AC1" }, () => spare), missing(/API key/));
  });

  it("that are made up have the form of real ones, and are never the same twice", () => {
    const one = randomCredentials(randomBytes);
    const other = randomCredentials(randomBytes);
    assert.ok(isAccountId(one.accountId), one.accountId);
    assert.ok(isApiKey(one.apiKey.reveal()));
    assert.notEqual(one.accountId, other.accountId);
    assert.notEqual(one.apiKey.reveal(), other.apiKey.reveal());
  });
});
