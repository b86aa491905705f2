import assert from "node:assert/strict";
import { finishRegistration, isXrtcError, startRegistration, XrtcClient } from "../../src/index.js";
import { startService } from "../support/service.js";

const serviceCode = (expected: number) => (error: unknown) =>
  isXrtcError(error, "XRTC_REGISTRATION") && error.serviceCode === expected;

describe("Registration", () => {
  it("gives an account and a key that open the service, for the code that the server logs", async () => {
    const codes: string[] = [];
    await using service = await startService({
      log: ({ message }) => {
        const [, code] = /^registration code for .*: (\S+)$/.exec(message) ?? [];
        if (code !== undefined) codes.push(code);
      },
    });
    const { baseUrl } = service;
    const token = await startRegistration("somebody@example.org", { baseUrl });
    const code = codes.at(-1) ?? assert.fail("the server told no code");
    const { accountId, apiKey } = await finishRegistration(token, code, { baseUrl });
    await using client = new XrtcClient({ accountId, apiKey, baseUrl, environment: {} });
    await client.setItems([{ portalId: "p", payload: "mine" }]);
    assert.equal(service.server.stats.itemsSet, 1);
    assert.equal(JSON.stringify({ apiKey }), '{"apiKey":"<redacted>"}');
  });

  it("fails with the service's code when the e-mail address, the token or the code is wrong", async () => {
    await using service = await startService();
    const { baseUrl } = service;
    await assert.rejects(startRegistration("nobody", { baseUrl }), serviceCode(32));
    await assert.rejects(finishRegistration("nothing", "123456", { baseUrl }), serviceCode(33));
    const token = await startRegistration("somebody@example.org", { baseUrl });
    await assert.rejects(finishRegistration(token, "not it", { baseUrl }), serviceCode(34));
  });
});
