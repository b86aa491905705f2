import { strict as assert } from "node:assert";
import { AttackedServer } from "../support/attacked.js";
import { ALICE, RawClient } from "./server-raw.js";

/** What must never be told, wherever a client puts it. */
const KEY = "CANARYKEYCANARYKEYCANARYKEYCANAR";
const PAYLOAD = "CANARYPAYLOAD";
const INJECTED = "\r\nCANARYLINE {\u001b[31m}\u2028";

const login = (accountid: string, apikey: string): string => JSON.stringify({ accountid, apikey });

/** Everything that holds a secret, whole, broken, and where it does not belong. */
function* attempts(
  cookie: string,
): Generator<readonly [path: string, body: string, ...headers: string[]]> {
  const set = JSON.stringify({ items: [{ portalid: "P", payload: PAYLOAD }] });
  yield ["/auth/login", login(ALICE.accountId, KEY)];
  yield ["/auth/login", login(`AC1${INJECTED}`, KEY)];
  yield ["/auth/login", `{"accountid":"${KEY}","apikey":["${KEY}"]}`];
  yield ["/auth/login", `{"accountid":"${KEY}","apikey":"${KEY}`];
  yield ["/auth/login", `{accountid:'${KEY}',apikey:${KEY}}`];
  yield [`/auth/login?apikey=${KEY}`, "{}"];
  yield [`/${KEY}`, KEY];
  yield ["/item/set", set, cookie];
  yield ["/item/set", set, `Cookie: JSESSIONID=${KEY}`];
  yield ["/item/set", `{"items":[{"portalid":"${PAYLOAD}!","payload":"${PAYLOAD}"}]}`, cookie];
  yield ["/item/set", `{"items":[{"portalid":"P","payload":"${PAYLOAD}`, cookie];
  yield ["/item/set", set, `${cookie}\r\nIdempotency-Key: ${KEY} ${PAYLOAD}`];
  yield ["/item/set", set, `${cookie}\r\nHost: ${KEY}`];
  yield ["/item/get", `{"portals":[{"portalid":"${PAYLOAD}!"}],"mode":"${PAYLOAD}"}`, cookie];
  yield ["/auth/registrationcode", JSON.stringify({ registrationtoken: KEY, emailcode: KEY })];
  yield ["/auth/registrationstart", JSON.stringify({ email: `a@b.example${INJECTED}` })];
  yield [
    "/auth/registrationstart",
    JSON.stringify({ email: "a@b.example", registrationtoken: KEY }),
  ];
  yield ["/item/set", set, `X-Forwarded-For: ${KEY}`];
}

describe("the secrets of those who use the local server", function () {
  this.timeout(20_000);

  it("are in none of its answers and in no line of its log, and no line can be forged", async () => {
    const accounts = [{ accountId: ALICE.accountId, apiKeys: [ALICE.apiKey] }];
    await using server = await AttackedServer.open({ accounts });
    const owner = await RawClient.open(server);
    const cookie = await owner.login();
    owner.destroy();
    let answers = "";
    for (const [path, body, ...headers] of attempts(cookie)) {
      const client = await RawClient.open(server);
      client.post(path, body, "Connection: close", ...headers);
      await client.closed;
      assert.match(client.received, /^HTTP\/1\.1 \d{3} /, path);
      answers += client.received;
    }
    await server.held();
    const secrets = [
      KEY,
      PAYLOAD,
      "CANARY",
      ALICE.apiKey,
      cookie.slice("Cookie: JSESSIONID=".length),
    ];
    for (const secret of secrets) {
      assert.equal(answers.includes(secret), false);
      assert.equal(server.output.includes(secret), false, server.output);
    }
    const lines = server.output.trimEnd().split("\n");
    for (const line of lines)
      assert.equal(typeof (JSON.parse(line) as { event: string }).event, "string");
    assert.ok(lines.some((line) => line.includes("login-refused")));
  });
});
