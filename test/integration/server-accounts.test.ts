import { strict as assert } from "node:assert";
import { finishRegistration, isXrtcError, startRegistration, XrtcClient } from "../../src/index.js";
import { sha256Of } from "../../src/server/index.js";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";

const OTHER = { accountId: "AC2", apiKey: "b".repeat(32) };
const limits = { loginIntervalMsMin: 0 };

const accountsOf = (...apiKeys: readonly string[]): [{ accountId: string; apiKeys: string[] }] => [
  { accountId: ACCOUNT_ID, apiKeys: [...apiKeys] },
];

const isRefused = (error: unknown): boolean => isXrtcError(error, "XRTC_CREDENTIALS_REFUSED");

describe("a local server that is given other accounts while it runs", () => {
  it("lets new keys in at once", async () => {
    await using service = await startService({ limits });
    await assert.rejects(service.client(OTHER).open(), isRefused);
    const hashed = { accountId: OTHER.accountId, apiKeyHashes: [sha256Of(OTHER.apiKey)] };
    await service.server.renewAccounts([...accountsOf(API_KEY), hashed]);
    await service.client(OTHER).open();
  });

  it("ends the sessions of keys that are gone, and what they have open, and no others", async () => {
    const gone = "c".repeat(32);
    await using service = await startService({ limits, accounts: accountsOf(API_KEY, gone) });
    const post = (path: string, body: object, cookie = ""): Promise<Response> =>
      fetch(service.baseUrl + path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { cookie },
      });
    const login = async (apikey: string): Promise<string> => {
      const { headers } = await post("/auth/login", { accountid: ACCOUNT_ID, apikey });
      return headers.getSetCookie()[0]?.split(";")[0] ?? "";
    };
    const get = { portals: [{ portalid: "hall" }], mode: "stream" };
    const set = { items: [{ portalid: "hall", payload: "1" }] };
    const [staying, leaving] = [await login(API_KEY), await login(gone)];
    const kept = await post("/item/get", get, staying);
    const ended = await post("/item/get", get, leaving);
    await service.server.renewAccounts(accountsOf(API_KEY));
    assert.equal(await ended.text(), "{}\n");
    assert.equal((await post("/item/set", set, leaving)).status, 401);
    assert.equal((await post("/item/set", set, staying)).status, 200);
    assert.equal(service.server.stats.sessions, 1);
    await service.server.close();
    assert.match(await kept.text(), /"payload":"1"/);
  });

  it("keeps those that registered", async () => {
    let code = "";
    await using service = await startService({
      limits,
      log: (record) => (code = String(record["code"] ?? code)),
    });
    const { baseUrl } = service;
    const token = await startRegistration("a@example.org", { baseUrl });
    const { accountId, apiKey } = await finishRegistration(token, code, { baseUrl });
    await service.server.renewAccounts([]);
    await assert.rejects(service.client().open(), isRefused);
    await using client = new XrtcClient({ accountId, apiKey, environment: {}, baseUrl });
    await client.open();
  });

  it("refuses what its options would refuse, and changes nothing then", async () => {
    await using service = await startService({ limits });
    const wrong = [{ accountId: "BC1", apiKeys: [API_KEY] }];
    await assert.rejects(service.server.renewAccounts(wrong), (error) =>
      isXrtcError(error, "XRTC_OPTIONS"),
    );
    await service.client().open();
    await using open = await startService({ host: "0.0.0.0", allowInsecure: true });
    const sample = [{ accountId: "AC0987654321012345", apiKeys: [API_KEY] }];
    await assert.rejects(open.server.renewAccounts(sample), (error) =>
      isXrtcError(error, "XRTC_SERVER_INSECURE"),
    );
  });
});
