import { strict as assert } from "node:assert";
import { networkOf, peerOf } from "../../../src/server/address.js";

const PROXY = new Set(["10.0.0.1", "10.0.0.2"]);
const behind = (forwardedFor: string): string => peerOf("10.0.0.1", forwardedFor, PROXY);

describe("the address of the local server's peer", () => {
  it("is that of the connection where no proxy is trusted", () => {
    assert.equal(peerOf("::ffff:10.0.0.9", "10.9.9.9", PROXY), "10.0.0.9");
  });

  it("is the last one in X-Forwarded-For that is no trusted proxy", () => {
    assert.equal(behind("10.9.9.9"), "10.9.9.9");
    assert.equal(behind("6.6.6.6, 10.9.9.9, 10.0.0.2"), "10.9.9.9");
    assert.equal(behind("10.9.9.9:50123"), "10.9.9.9");
    assert.equal(behind("[2001:db8::1]:50123"), "2001:db8::1");
    assert.equal(behind("10.0.0.2"), "10.0.0.1");
  });

  it("is the proxy's where that cannot be read, and never what a client wrote before it", () => {
    for (const odd of ["unknown", "", "10.9.9.9:x", "_hidden", "1.2.3", "a, b"]) {
      assert.equal(behind(`6.6.6.6, ${odd}`), "10.0.0.1", odd);
    }
  });
});

describe("what the local server counts as one address", () => {
  it("is an address of IPv4, and a network of 64 bits of IPv6", () => {
    assert.equal(networkOf("127.0.0.1"), "127.0.0.1");
    const networks = ["2001:db8:0:1::1", "2001:db8:0:1:9:8:7:6", "2001:0db8::1:5:6:7:8"];
    assert.deepEqual(new Set(networks.map(networkOf)), new Set(["2001:db8:0:1::/64"]));
    assert.notEqual(networkOf("2001:db8:0:2::1"), networkOf("2001:db8:0:1::1"));
    assert.equal(networkOf("fe80::1"), networkOf("fe80:0:0:0:5::"));
  });
});
