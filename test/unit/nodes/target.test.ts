import assert from "node:assert/strict";
import { readConfigSettings } from "../../../nodes/lib/settings/config.js";
import { limitsOf, urlsBelow, urlsOf } from "../../../nodes/lib/target.js";
import { isXrtcError, LIMITS } from "../../../src/index.js";

const urls = (settings: object) => urlsOf(readConfigSettings(settings));

const custom = (baseUrl: string) => () => urls({ service: "custom", baseUrl });

const limitsFor = (choice: string) =>
  limitsOf(readConfigSettings({ limits: choice }), LIMITS.local);

const refusedFor = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_OPTIONS") && pattern.test(error.message);

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
});
