import assert from "node:assert/strict";
import { readConfigSettings } from "../../../nodes/lib/settings/config.js";
import {
  limitsOf,
  registrationUrlOf,
  NO_LIMIT_MS,
  sendingOf,
  urlsBelow,
  urlsOf,
} from "../../../nodes/lib/target.js";
import { isXrtcError, LIMITS } from "../../../src/index.js";

const urls = (settings: object) => urlsOf(readConfigSettings(settings));

const custom = (baseUrl: string) => () => urls({ service: "custom", baseUrl });

const limitsFor = (choice: string) =>
  limitsOf(readConfigSettings({ limits: choice }), LIMITS.local);

const refusedFor = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_OPTIONS") && pattern.test(error.message);

const limits = (fields: object, known?: typeof LIMITS.local) =>
  limitsOf(readConfigSettings(fields), known);

const base = (fields: object) => registrationUrlOf(readConfigSettings(fields));

describe("the service of a configuration", () => {
  it("is the hosted one, any other by its base URL, or three URLs", () => {
    assert.equal(urls({}).setUrl, "https://api.xrtc.org/v1/item/set");
    const other = urls({ service: "custom", baseUrl: " http://localhost:8480/v1// " });
    assert.deepEqual(other, urlsBelow("http://localhost:8480/v1"));
    const three = {
      loginUrl: "https://a.example/login",
      setUrl: "https://b.example/set",
      getUrl: "https://c.example/get",
    };
    assert.deepEqual(urls({ service: "urls", ...three }), three);
  });

  it("is refused when a URL is missing, is none or holds a password, without quoting it", () => {
    assert.throws(custom(""), refusedFor(/base URL: none is given/));
    assert.throws(custom("localhost"), refusedFor(/base URL: this is no URL/));
    assert.throws(custom("ftp://example.org"), refusedFor(/expected https: or http:/));
    assert.throws(custom("https://me:secret@example.org"), refusedFor(/^(?!.*secret)/));
    assert.throws(() => urls({ service: "urls" }), refusedFor(/login URL/));
  });

  it("has the limits that the user chose, else those that are known of it", () => {
    assert.equal(limitsFor("auto"), LIMITS.local);
    assert.equal(limitsFor("hosted"), "hosted");
    assert.equal(limitsOf(readConfigSettings({})), undefined);
  });

  it("has any limit that the user set in place of the preset's, and the budget among them", () => {
    assert.deepEqual(limits({ limits: "hosted", requestBytesMax: "2048", monthRequestsMax: 9 }), {
      ...LIMITS.hosted,
      requestBytesMax: 2_048,
      requestsPerMonthMax: 9,
    });
    assert.deepEqual(limits({ requestsPerSecondMax: "5" }, LIMITS.local), {
      ...LIMITS.local,
      requestsPerSecondMax: 5,
    });
    assert.deepEqual(limits({ loginIntervalMsMin: "0" }), { loginIntervalMsMin: 0 });
  });

  it("refuses limits out of range, and those that contradict each other", () => {
    assert.throws(
      () => limits({ requestBytesMax: "64" }),
      refusedFor(/requestBytesMax.* from 256 to/),
    );
    assert.throws(
      () => limits({ lineBytesMax: "1048577" }),
      refusedFor(/lineBytesMax.* to 1048576/),
    );
    assert.throws(() => limits({ attemptsMax: "1.5" }), refusedFor(/attemptsMax.*whole number/));
    assert.throws(
      () => limits({ batchItemsMax: "many" }),
      refusedFor(/batchItemsMax.*whole number/),
    );
    assert.throws(
      () => limits({ getTimeoutMs: "60000" }),
      refusedFor(/getTimeoutMs: 60000 is not below/),
    );
    assert.throws(() => limits({ limits: "hosted", sessionIdleMsMax: "5000" }), refusedFor(/5000/));
    limits({ getTimeoutMs: "60000", sessionIdleMsMax: "61000" });
  });

  it("is sent to as the user said, and as the client would where nothing was said, but for as long as it takes", () => {
    const sending = sendingOf(readConfigSettings({ attemptsMax: " " }));
    assert.deepEqual(sending, { retryMsMax: NO_LIMIT_MS });
    assert.ok(NO_LIMIT_MS < 2 ** 31, "no timer of the runtime counts further");
    const fields = { lingerMs: "0", batchItemsMax: "20", attemptsMax: "3", retrySecondsMax: "30" };
    assert.deepEqual(sendingOf(readConfigSettings(fields)), {
      lingerMs: 0,
      batchItemsMax: 20,
      attemptsMax: 3,
      retryMsMax: 30_000,
    });
  });

  it("registers accounts below the same base URL, where there is one", () => {
    assert.equal(base({}), "https://api.xrtc.org/v1");
    assert.equal(base({ service: "custom", baseUrl: "http://a.test/v1/" }), "http://a.test/v1");
    const [setUrl, getUrl] = ["https://b.test", "https://c.test"];
    const urlsWith = (loginUrl: string) => ({ service: "urls", loginUrl, setUrl, getUrl });
    assert.equal(base(urlsWith("https://a.test/v1/auth/login")), "https://a.test/v1");
    assert.throws(() => base(urlsWith("https://a.test/login")), refusedFor(/login URL/));
    assert.throws(() => base({ service: "local" }), { code: "XRTC_SERVER_MISSING" });
  });
});
