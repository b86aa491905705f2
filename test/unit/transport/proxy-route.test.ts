import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { isXrtcError } from "../../../src/errors.js";
import type { RouteOf } from "../../../src/transport/network.js";
import {
  isLoopback,
  routeOfEnvironment,
  routeThrough,
} from "../../../src/transport/proxy-route.js";

/** The proxy that a URL is reached through, or "straight". */
function way(routeOf: RouteOf | undefined, address: string): string {
  const { hostname, protocol, port } = new URL(address);
  const target = { hostname, protocol, port: Number(port) || (protocol === "https:" ? 443 : 80) };
  return routeOf?.(target)?.url.host ?? "straight";
}

const by = (environment: Record<string, string>, address: string): string =>
  way(routeOfEnvironment(environment), address);

const except = (noProxy: string[], address: string): boolean =>
  way(routeThrough({ url: "http://proxy.test:3128", noProxy }), address) === "straight";

const refused = (error: unknown): boolean =>
  isXrtcError(error, "XRTC_OPTIONS") && !error.message.includes("secret");

describe("The proxy of the environment", () => {
  it("is the one for the protocol of the address, else the one for all", () => {
    const both = { HTTP_PROXY: "http://plain.test", HTTPS_PROXY: "http://tls.test:8080" };
    assert.equal(by(both, "http://a.test"), "plain.test");
    assert.equal(by(both, "https://a.test"), "tls.test:8080");
    const mixed = { HTTPS_PROXY: "http://tls.test", ALL_PROXY: "all.test:1" };
    assert.equal(by(mixed, "https://a.test"), "tls.test");
    assert.equal(by(mixed, "http://a.test"), "all.test:1");
    assert.equal(by({ HTTPS_PROXY: "http://tls.test" }, "http://a.test"), "straight");
    assert.equal(routeOfEnvironment({ HTTP_PROXY: "", NO_PROXY: "*" }), undefined);
  });

  it("is the one in lower case where both are there", () => {
    const both = { http_proxy: "http://lower.test", HTTP_PROXY: "http://upper.test" };
    assert.equal(by(both, "http://a.test"), "lower.test");
    const straight = { ...both, no_proxy: "a.test", NO_PROXY: "" };
    assert.equal(by(straight, "http://a.test"), "straight");
  });

  it("is never taken to this machine itself", () => {
    const environment = { ALL_PROXY: "http://proxy.test" };
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"]) {
      assert.equal(by(environment, `http://${host}:8480/v1`), "straight", host);
    }
    for (const host of ["localhost.test", "128.0.0.1", "[::2]"]) {
      assert.equal(by(environment, `http://${host}/v1`), "proxy.test", host);
    }
    assert.ok(!isLoopback("127.0.0.1.test"));
  });

  it("is refused where it is none, without repeating what may be a password", () => {
    for (const url of ["socks5://me:secret@a.test", "http://", "http://a:secret%@b.test"]) {
      assert.throws(() => routeOfEnvironment({ HTTPS_PROXY: url }), refused, url);
    }
  });
});

describe("The hosts without proxy", () => {
  it("are named whole, by their domain, with a port, or all at once", () => {
    assert.ok(except(["a.test"], "http://a.test"));
    assert.ok(except(["a.test"], "http://b.a.test"));
    assert.ok(except([".a.test"], "http://b.a.test"));
    assert.ok(except(["*.a.test"], "http://b.a.test"));
    assert.ok(except(["b.test, A.test"], "http://a.TEST"));
    assert.ok(except(["*"], "http://anything.test"));
    assert.ok(except(["a.test:8080"], "http://a.test:8080"));
    assert.ok(except(["a.test:443"], "https://a.test"));
    assert.ok(!except(["a.test:8080"], "http://a.test"));
    assert.ok(!except(["a.test"], "http://ba.test"));
    assert.ok(!except(["b.a.test"], "http://a.test"));
    assert.ok(!except([], "http://a.test"));
  });

  it("may be addresses", () => {
    assert.ok(except(["192.168.1.2"], "http://192.168.1.2"));
    assert.ok(!except(["192.168.1.2"], "http://192.168.1.21"));
    assert.ok(except(["::1"], "http://[::1]"));
    assert.ok(except(["[::1]:8080"], "http://[::1]:8080"));
    assert.ok(!except(["[::1]:8080"], "http://[::1]:8081"));
  });

  it("never throw, whatever stands in the list", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.domain(), (list, host) => {
        assert.equal(typeof except(list, `http://${host}`), "boolean");
      }),
    );
  });
});
