import { strict as assert } from "node:assert";
import { XrtcClient } from "../../../src/index.js";
import { credentials } from "../../support/service.js";
import { ScriptedTransport, type Answer } from "../../support/scripted-transport.js";

const loginAnswer = (extensions: readonly string[]): Answer => ({
  body: [JSON.stringify({ servertimestamp: 1_700_000_000_000, extensions })],
  cookies: ["JSESSIONID=one; Path=/v1; HttpOnly"],
});
const DENIED: Answer = { status: 401, body: ["{}"] };
const OK: Answer = { body: ['{"servertimestamp":1700000000001}'] };

describe("A client whose server keeps the order no more", () => {
  it("sends again what was in flight one after another, each after the answer to the one before", async () => {
    const count = 8;
    const denials: ((answer: Answer) => void)[] = [];
    const applied: string[] = [];
    let logins = 0;
    let open = 0;
    let openMax = 0;
    const transport = new ScriptedTransport(async ({ url, body, headers }) => {
      if (url.endsWith("/login")) {
        logins += 1;
        return loginAnswer(logins === 1 ? ["idempotency", "order"] : []);
      }
      if (logins === 1) {
        // Denied when all of them are on their way.
        const denied = new Promise<Answer>((resolve) => denials.push(resolve));
        if (denials.length === count) for (const deny of denials) deny(DENIED);
        return denied;
      }
      assert.equal(headers["xrtc-sequence"], undefined);
      open += 1;
      openMax = Math.max(openMax, open);
      await new Promise(setImmediate);
      open -= 1;
      applied.push((JSON.parse(body) as { items: { payload: string }[] }).items[0]?.payload ?? "");
      return OK;
    });
    const client = new XrtcClient({
      ...credentials,
      baseUrl: "http://localhost/v1",
      limits: { loginIntervalMsMin: 0, requestItemsMax: 1, requestsPerSecondMax: 1_000 },
      ports: { transport },
    });
    await client.open();
    const payloads = Array.from({ length: count }, (_, at) => `${at}`);
    await Promise.all(payloads.map((payload) => client.setItems([{ portalId: "p", payload }])));
    assert.deepEqual(applied, payloads);
    assert.equal(openMax, 1);
    await client.close();
  });
});
