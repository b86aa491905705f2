import { strict as assert } from "node:assert";
import { inspect } from "node:util";
import { isXrtcError } from "../../../src/errors.js";
import { Redacted } from "../../../src/primitives/redacted.js";
import { LIMITS } from "../../../src/protocol/limits.js";
import { XrtcServer } from "../../../src/server/index.js";
import { resolveOptions } from "../../../src/server/options.js";
import { ALICE, CoreHarness } from "./core-harness.js";

const accounts = [{ accountId: ALICE.accountId, apiKeys: [ALICE.apiKey] }];

const refused = (options: object, code: string, message: RegExp): void =>
  assert.throws(
    () => new XrtcServer({ accounts, ...options }),
    (error) => isXrtcError(error) && error.code === code && message.test(error.message),
    inspect(options),
  );

describe("the options of the local server", () => {
  it("are refused when one is misspelt or out of its range, and the message names it", () => {
    refused({ prot: 1 }, "XRTC_OPTIONS", /prot/);
    refused({ port: 65_536 }, "XRTC_OPTIONS", /port/);
    refused({ preset: "hostd" }, "XRTC_OPTIONS", /preset/);
    refused({ limits: { requestByteMax: 1 } }, "XRTC_OPTIONS", /limits.*requestByteMax/);
    refused({ limits: { ringItemsMax: 0 } }, "XRTC_OPTIONS", /limits\.ringItemsMax/);
    refused({ bounds: { socketsMax: -1 } }, "XRTC_OPTIONS", /bounds\.socketsMax/);
    refused({ extensions: { sequence: true } }, "XRTC_OPTIONS", /sequence/);
    refused({ clock: {} }, "XRTC_OPTIONS", /clock/);
    refused(
      { accounts: [{ accountId: "x", apiKeys: [ALICE.apiKey] }] },
      "XRTC_OPTIONS",
      /accountId/,
    );
    refused({ trustedProxies: ["proxy"] }, "XRTC_OPTIONS", /trustedProxies/);
  });

  it("never show a key that was refused", () => {
    const key = "SECRETSECRET";
    refused(
      { accounts: [{ accountId: "AC1", apiKeys: [key] }] },
      "XRTC_OPTIONS",
      /^((?!SECRET).)*$/,
    );
  });

  it("name the engine by its URL, and never show what stands in one that was refused", () => {
    const unseen = /^engine((?!SECRET).)*$/;
    for (const engine of ["mysql://u:SECRET@db", "redis://u:SECRET@host:port", "SECRET", ""]) {
      refused({ engine }, "XRTC_OPTIONS", unseen);
    }
    const engine = "rediss://user:SECRET@redis.example:6380/1";
    const settings = resolveOptions({ accounts, engine, durability: "redis-aof" });
    assert.doesNotMatch(inspect(settings) + JSON.stringify(settings), /SECRET/);
    assert.deepEqual(
      settings.engine.kind === "redis" && [settings.engine.url.reveal(), settings.engine.prefix],
      [engine, "xrtc"],
    );
    assert.equal(new XrtcServer({ accounts, engine }).durability, "redis");
    refused({ engine, durability: "memory" }, "XRTC_OPTIONS", /durability/);
    refused({ engine, enginePrefix: "a{b}" }, "XRTC_OPTIONS", /enginePrefix/);
    refused({ durability: "redis" }, "XRTC_OPTIONS", /durability/);
    refused({ engine: "memory", enginePrefix: "a" }, "XRTC_OPTIONS", /enginePrefix/);
  });

  it("default to the local preset with all extensions, the hosted one to none", () => {
    assert.deepEqual(new XrtcServer({ accounts }).limits, LIMITS.local);
    const hosted = new XrtcServer({ accounts, preset: "hosted", limits: { portalsMax: 11 } });
    assert.deepEqual(hosted.limits, { ...LIMITS.hosted, portalsMax: 11 });
    assert.equal(hosted.preset, "hosted");
  });

  it("take an undefined limit for the preset's", () => {
    const limits = { portalsMax: undefined as unknown as number };
    assert.equal(new XrtcServer({ accounts, limits }).limits.portalsMax, LIMITS.local.portalsMax);
  });

  it("keep the server on this machine unless told otherwise, and sample accounts always", () => {
    refused({ host: "0.0.0.0" }, "XRTC_SERVER_INSECURE", /0\.0\.0\.0/);
    refused({ host: "192.168.1.5" }, "XRTC_SERVER_INSECURE", /beyond this machine/);
    const sample = [{ accountId: "AC0987654321012345", apiKeys: [ALICE.apiKey] }];
    const open = { host: "0.0.0.0", allowInsecure: true };
    refused({ ...open, accounts: sample }, "XRTC_SERVER_INSECURE", /sample/);
    for (const host of ["127.0.0.1", "localhost", "::1", "127.0.0.9"]) {
      assert.doesNotThrow(() => new XrtcServer({ accounts: sample, host }), host);
    }
    assert.doesNotThrow(() => new XrtcServer({ accounts, ...open }));
  });

  it("take keys that cannot be printed, and forget the eleventh's oldest only at registration", () => {
    const apiKeys = [new Redacted(ALICE.apiKey)];
    const server = new CoreHarness({ accounts: [{ accountId: ALICE.accountId, apiKeys }] });
    assert.equal(server.tryLogin().status, 200);
    const many = Array.from({ length: 11 }, (_, at) => String.fromCharCode(97 + at).repeat(32));
    refused({ accounts: [{ accountId: "AC1", apiKeys: many }] }, "XRTC_OPTIONS", /1 to 10 keys/);
  });

  it("let a log function throw without harm to a request", () => {
    const server = new CoreHarness({
      log: () => {
        throw new Error("disk full");
      },
    });
    const wrong = { accountId: ALICE.accountId, apiKey: "c".repeat(32) };
    assert.deepEqual(server.tryLogin(wrong).refusal, [400, 4, 35]);
  });
});
