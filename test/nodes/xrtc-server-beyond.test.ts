import assert from "node:assert/strict";
import { isXrtcError, XrtcClient } from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { ACCOUNT_ID, API_KEY, credentials as clientCredentials } from "../support/service.js";
import { catchAll, input, localConfig, out, server, sink, tab } from "./flows.js";
import {
  badge,
  errors,
  type Flow,
  type Message,
  node,
  shared,
  start,
  stop,
  taken,
} from "./runtime.js";

const connected = { fill: "green", shape: "dot" } as const;
const authority = new Authority();

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const exchange = (one: Flow[number]): Flow => [
  tab,
  localConfig,
  one,
  out({ portal: "hall" }),
  input("i1", "hall"),
  sink("k1"),
  ...catchAll,
];

const tlsNode: Flow[number] = {
  ...{ id: "t1", type: "tls-config", name: "", cert: "", key: "", ca: "", servername: "" },
  verifyservercert: true,
};

const passes = async (payload: string): Promise<void> => {
  node("o1").receive({ payload });
  const [message] = await taken("k1", 1);
  assert.equal(message?.["payload"], payload);
};

describe("xrtc-server beyond this machine", () => {
  afterEach(stop);

  it("speaks HTTPS with the certificate of a tls-config node, which its own nodes need not trust", async () => {
    const { cert, key } = authority.issue("127.0.0.1");
    await start([...exchange(server({ host: "0.0.0.0", tls: "t1" })), tlsNode], {
      s1: { accountId: ACCOUNT_ID, apiKey: API_KEY },
      t1: { certdata: cert, keydata: key },
    });
    const { text } = await badge("s1", connected);
    assert.match(text ?? "", /^0\.0\.0\.0:\d+/);
    await badge("i1", connected);
    await passes("x");
    const port = Number(/:(\d+)/.exec(text ?? "")?.[1]);
    const tls = { ca: authority.cert };
    const baseUrl = `https://127.0.0.1:${port}/v1`;
    // With another key, which need not wait for its turn to log in.
    const strange = { ...clientCredentials, apiKey: "x".repeat(32) };
    await using client = new XrtcClient({ ...strange, baseUrl, tls });
    await assert.rejects(client.setItems([{ portalId: "hall", payload: "x" }]), (error) =>
      isXrtcError(error, "XRTC_CREDENTIALS_REFUSED"),
    );
    await assert.rejects(fetch(`http://127.0.0.1:${port}/v1/auth/login`, { method: "POST" }));
  });

  it("speaks plain HTTP only where that is allowed, and says what it wants instead", async () => {
    const flow = [tab, server({ host: "0.0.0.0" }), server({ id: "s2", host: "::" }), ...catchAll];
    await start([...flow, server({ id: "s3", host: "0.0.0.0", allowInsecure: true })]);
    const caught = (await taken("caught", 2)) as Caught[];
    assert.deepEqual(
      caught.map(({ error }) => error.code),
      ["XRTC_SERVER_INSECURE", "XRTC_SERVER_INSECURE"],
    );
    await badge("s1", { fill: "red", shape: "dot" });
    await badge("s3", connected);
    assert.equal(errors("s3").length, 0);
  });

  it("never opens there with the account of an example, on a port or under a path", async () => {
    const sample = { accountId: "AC0987654321012345", apiKey: API_KEY };
    const host = { host: "0.0.0.0", allowInsecure: true };
    const flow = [tab, server(host), server({ id: "s2", listen: "path" }), ...catchAll];
    await start(flow, { s1: sample, s2: sample });
    const caught = (await taken("caught", 2)) as Caught[];
    assert.deepEqual(
      caught.map(({ error }) => error.code),
      ["XRTC_SERVER_INSECURE", "XRTC_SERVER_INSECURE"],
    );
  });

  it("does not start without the certificate that it was to have", async () => {
    const flow = [tab, server({ tls: "t1" }), server({ id: "s2", tls: "gone" }), ...catchAll];
    await start([...flow, tlsNode]);
    const caught = (await taken("caught", 2)) as Caught[];
    for (const { error } of caught) {
      assert.equal(error.code, "XRTC_OPTIONS");
      assert.match(error.message, /xrtc-server: tls: /);
    }
    await badge("s1", { fill: "red", shape: "dot" });
    assert.equal(shared().servers.size, 0);
  });
});
