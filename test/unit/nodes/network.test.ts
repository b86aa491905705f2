import assert from "node:assert/strict";
import { networkOf } from "../../../nodes/lib/network.js";
import { isXrtcError } from "../../../src/index.js";

const tlsNode = (more: object = {}) => ({
  valid: true,
  addTLSOptions: (options: object) => ({
    ...options,
    ca: "authority",
    cert: "",
    servername: "",
    ALPNProtocols: ["h2"],
    rejectUnauthorized: true,
    ...more,
  }),
});

const network = (nodes: Readonly<Record<string, unknown>>, chosen: object = {}) =>
  networkOf({ tls: "", proxy: "", ...chosen }, (id) => nodes[id]);

const proxy = (p: object) => () => network({ p }, { proxy: "p" });

const refusedFor =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    isXrtcError(error, "XRTC_OPTIONS") &&
    pattern.test(error.message) &&
    !error.message.includes("secret");

describe("the network of a configuration", () => {
  it("is what Node.js and the environment say, where no node is chosen", () => {
    assert.deepEqual(network({}), {});
  });

  it("has the certificates of a tls-config node, and verifies unless that node says otherwise", () => {
    const chosen = { tls: "t" };
    assert.deepEqual(network({ t: tlsNode() }, chosen), {
      tls: { ca: "authority", rejectUnauthorized: true },
    });
    // Left out means verified: an undefined must not switch it off.
    assert.deepEqual(network({ t: tlsNode({ rejectUnauthorized: undefined }) }, chosen), {
      tls: { ca: "authority", rejectUnauthorized: true },
    });
    const own = {
      cert: "c",
      key: "k",
      passphrase: "p",
      servername: "s",
      rejectUnauthorized: false,
    };
    assert.deepEqual(network({ t: tlsNode(own) }, chosen), { tls: { ca: "authority", ...own } });
  });

  it("is none when a chosen node is not there, or cannot read its certificates", () => {
    assert.throws(() => network({}, { tls: "t" }), refusedFor(/tls-config node.*not deployed/));
    assert.throws(() => network({ t: {} }, { tls: "t" }), refusedFor(/not deployed/));
    const invalid = { ...tlsNode(), valid: false };
    assert.throws(() => network({ t: invalid }, { tls: "t" }), refusedFor(/cannot read/));
    assert.throws(() => network({}, { proxy: "p" }), refusedFor(/http proxy node.*not deployed/));
    assert.throws(() => network({ p: null }, { proxy: "p" }), refusedFor(/not deployed/));
  });

  it("has the address, the exceptions and the password of an http proxy node", () => {
    const p = {
      url: " http://proxy.test:3128 ",
      noproxy: ["a.test", ".b.test"],
      credentials: { username: "me", password: "secret" },
    };
    assert.deepEqual(network({ p }, { proxy: "p" }), {
      proxy: {
        url: "http://proxy.test:3128",
        noProxy: ["a.test", ".b.test"],
        username: "me",
        password: "secret",
      },
    });
    const bare = { url: "http://proxy.test" };
    assert.deepEqual(network({ p: bare }, { proxy: "p" }), {
      proxy: { url: "http://proxy.test", noProxy: [] },
    });
  });

  it("is none when the proxy's address is blank, or a variable that is not set", () => {
    assert.throws(proxy({ url: "", noproxy: [] }), refusedFor(/has no address/));
    assert.throws(proxy({ url: "${PROXY}" }), refusedFor(/variable PROXY is not set/));
    const credentials = { username: "me", password: "${PROXY_PASSWORD}" };
    assert.throws(proxy({ url: "http://p.test", credentials }), refusedFor(/PROXY_PASSWORD/));
  });
});
