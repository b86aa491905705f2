import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import {
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
