import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { API_KEY_LENGTH } from "../../src/index.js";
import { type Flow, nodeRedHome, NodeRedProcess } from "../support/node-red-process.js";
import { startService } from "../support/service.js";
import { type AdminAnswer, request } from "./admin.js";

/** They are in no answer but the one to a registration, and open only what this test starts. */
const ACCOUNT_ID = "AC4242424242424242";
const API_KEY = "CanaryOfTheAdminRequests00000000";
const PASSWORD = "only for this test";

const flow = (baseUrl: string): Flow => [
  { id: "f1", type: "tab", label: "Test" },
  {
    id: "c1",
    type: "xrtc-config",
    service: "custom",
    baseUrl,
    credentials: { accountId: ACCOUNT_ID, apiKey: API_KEY },
  },
  { id: "o1", type: "xrtc-out", z: "f1", x: 100, y: 100, config: "c1", portal: "hall", wires: [] },
];

const fields = (baseUrl: string): object => ({ service: "custom", baseUrl });

const startOwn = () => startService({ accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }] });

/** Every request of the dialogs: path, permission, and a body where it takes one. */
const requests = (baseUrl: string): readonly (readonly [string, "read" | "write", object?])[] => [
  ["xrtc/config/c1/status", "read"],
  ["xrtc/config/c1/portals", "read"],
  ["xrtc/config/c1/test", "write", fields(baseUrl)],
  ["xrtc/registration/start", "write", { ...fields(baseUrl), email: "me@example.org" }],
  ["xrtc/registration/finish", "write", { registration: "x", code: "x" }],
];

/** Users as Node-RED's settings have them. */
function logins(): object {
  const api = require.resolve("@node-red/editor-api", { paths: [nodeRedHome()] });
  const bcrypt = createRequire(api)("@node-rs/bcrypt") as {
    hashSync(password: string, rounds: number): string;
  };
  const password = bcrypt.hashSync(PASSWORD, 4);
  const users = [
    { username: "owner", password, permissions: "*" },
    { username: "guest", password, permissions: "read" },
  ];
  return { adminAuth: { type: "credentials", users } };
}

async function tokenOf(url: string, username: string): Promise<Record<string, string>> {
  const { body } = await request(`${url}auth/token`, {
    client_id: "node-red-admin",
    grant_type: "password",
    scope: "",
    username,
    password: PASSWORD,
  });
  return { authorization: `Bearer ${String(body["access_token"])}` };
}

describe("A18: the admin requests of a real Node-RED", function () {
  this.timeout(90_000);

  it("are refused with 401 where the editor has logins, and allowed by their permissions", async () => {
    await using service = await startOwn();
    const { baseUrl } = service;
    await using runtime = await NodeRedProcess.start({
      flow: flow(baseUrl),
      settings: { ...logins() },
    });
    const { url } = runtime;
    for (const [path, , body] of requests(baseUrl)) {
      const { status, text } = await request(url + path, body);
      assert.equal(status, 401, path);
      assert.doesNotMatch(text, /portals|registration|usage/);
    }
    assert.equal(service.server.stats.requests, 0);
    const [owner, guest] = [await tokenOf(url, "owner"), await tokenOf(url, "guest")];
    for (const [path, permission, body] of requests(baseUrl)) {
      const asGuest = await request(url + path, body, guest);
      assert.equal(asGuest.status, permission === "read" ? 200 : 401, `guest: ${path}`);
      const asOwner = await request(url + path, body, owner);
      // The registration that is to be finished here was never begun.
      assert.equal(asOwner.status, path.endsWith("finish") ? 404 : 200, `owner: ${path}`);
    }
  });

  it("answer nothing secret where it has none", async () => {
    await using service = await startOwn();
    const { baseUrl } = service;
    await using runtime = await NodeRedProcess.start({ flow: flow(baseUrl) });
    const { url } = runtime;
    const answers: AdminAnswer[] = [];
    const other = "http://127.0.0.1:9/v1";
    for (const [path, , body] of [...requests(baseUrl), ...requests(other)]) {
      answers.push(await request(url + path, body));
    }
    const tried = { ...fields(other), accountId: ACCOUNT_ID, apiKey: "Y".repeat(API_KEY_LENGTH) };
    answers.push(await request(`${url}xrtc/config/c1/test`, tried));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 404, 200, 200, 400, 400, 404, 400],
    );
    for (const { text, headers } of answers) {
      assert.ok(!text.includes(API_KEY) && !text.includes(ACCOUNT_ID) && !text.includes("YYYY"));
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("set-cookie"), null);
    }
    assert.doesNotMatch(runtime.lines.join("\n"), new RegExp(`${API_KEY}|YYYY`));
    assert.equal(service.server.stats.logins, 1);
  });
});
