import assert from "node:assert/strict";
import { isXrtcError, XrtcClient, type XrtcClientOptions } from "../../../src/index.js";
import { errorAnswer, ScriptedTransport } from "../../support/scripted-transport.js";
import { credentials } from "../../support/service.js";

const refusedFor = (options: XrtcClientOptions, words: RegExp): void =>
  assert.throws(
    () => new XrtcClient({ ...credentials, ...options }),
    (error: unknown) => isXrtcError(error, "XRTC_OPTIONS") && words.test(error.message),
  );

const below = (base: string) => ({
  loginUrl: `${base}/auth/login`,
  setUrl: `${base}/item/set`,
  getUrl: `${base}/item/get`,
});

const messageOf = async (baseUrl: string): Promise<string> => {
  const transport = new ScriptedTransport(() => ({ ...errorAnswer(6, 1, "no"), status: 404 }));
  await using client = new XrtcClient({ ...credentials, baseUrl, ports: { transport } });
  let message = "";
  await assert.rejects(client.open(), (error: unknown) => {
    if (isXrtcError(error, "XRTC_ENDPOINT")) message = error.message;
    return message !== "" && client.status.value.kind === "refused";
  });
  return message;
};

describe("An address that may not be used", () => {
  const INSECURE = "http://192.0.2.1/v1";

  it("is named as it was given: the base URL", () => {
    refusedFor({ baseUrl: INSECURE }, /^Option base URL: plain http/);
    refusedFor({ baseUrl: "example.org" }, /^Option base URL: expected an http/);
  });

  it("is the base URL where all three calls are below one", () => {
    refusedFor(below(INSECURE), /^Option base URL: plain http/);
  });

  it("is one of the three where they have nothing in common", () => {
    const safe = below("https://example.org/v1");
    refusedFor({ ...safe, setUrl: `${INSECURE}/item/set` }, /^Option set URL: plain http/);
    refusedFor({ baseUrl: "https://example.org", getUrl: "x" }, /^Option get URL: expected/);
  });

  it("is never printed", () => {
    refusedFor({ baseUrl: "https://user:secret@example.org" }, /^(?!.*secret).*base URL/);
  });
});

describe("A login that is answered with 404", () => {
  it("makes the client ask for a missing /v1", async () => {
    assert.match(await messageOf("http://localhost:8480"), /Is a \/v1 missing/);
  });

  it("has another reason where the /v1 is there", async () => {
    assert.doesNotMatch(await messageOf("http://localhost:8480/v1"), /missing/);
  });
});
