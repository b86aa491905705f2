import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused, type Stage } from "../stage.js";
import { type Answer, pause } from "../wire.js";

const emailOf = (stage: Stage): string => `${stage.text("a").split(" ")[0]}@example.com`;

const start = (stage: Stage, body: object): Promise<Answer> =>
  stage.call("/auth/registrationstart", body);

const finish = (stage: Stage, registrationtoken: string, emailcode: string): Promise<Answer> =>
  stage.call("/auth/registrationcode", { registrationtoken, emailcode });

/** Begins a registration. @returns its token, and the code that was sent */
async function begun(stage: Stage): Promise<{ email: string; token: string; code: string }> {
  const email = emailOf(stage);
  const answer = await start(stage, { email });
  assert.equal(answer.status, 200, answer.text);
  const token = answer.document["registrationtoken"] as string;
  assert.match(token, /^\S+$/);
  const code = (await stage.target.registrationCode?.(email)) ?? "";
  return { email, token, code };
}

/** A code that is not the right one. */
const wrong = (code: string): string => (code === "000000" ? "000001" : "000000");

/** Asks again and again until the answer has a code; what comes before must be as expected. */
async function untilCode(
  code: number,
  ask: () => Promise<Answer>,
  before: (answer: Answer) => void,
): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answer = await ask();
    const error = answer.document["error"] as { errorcode?: number } | undefined;
    if (error?.errorcode === code) {
      assertRefused(answer, { group: 3, code });
      assert.ok(attempt > 0, "not at the first time");
      return;
    }
    before(answer);
  }
  assert.fail(`no code ${code} in 20 attempts`);
}

export const REGISTRATION: readonly Case[] = [
  {
    name: "gives whoever has the code an account and a key that log in",
    clauses: ["2.1", "2.3", "3.1"],
    needs: ["registration"],
    async run(stage) {
      const { token, code } = await begun(stage);
      const answer = await finish(stage, token, code);
      assert.equal(answer.status, 200, answer.text);
      const { accountid, apikey, apikeyname } = answer.document;
      assert.match(accountid as string, /^AC\d+$/);
      assert.match(apikey as string, /^[A-Za-z0-9]{32}$/);
      assert.equal(typeof apikeyname, "string");
      const account = { accountId: accountid as string, apiKey: apikey as string };
      assert.equal((await stage.login(account)).status, 200);
      assertRefused(await finish(stage, token, code), { group: 3, code: 33 });
    },
  },
  {
    name: "sends a code again for the token of a registration",
    clauses: ["2.2"],
    needs: ["registration"],
    async run(stage) {
      const { email, token } = await begun(stage);
      const again = await start(stage, { email, registrationtoken: token });
      assert.equal(again.status, 200, again.text);
      assert.equal(again.document["registrationtoken"], token);
      const code = (await stage.target.registrationCode?.(email)) ?? "";
      assert.equal((await finish(stage, token, code)).status, 200);
    },
  },
  {
    name: "refuses a registration's bad address, token and code, each with its own code",
    clauses: ["2.4", "1.7"],
    needs: ["registration"],
    async run(stage) {
      assertRefused(await start(stage, { email: "nobody" }), { group: 3, code: 32 });
      const { email, token, code } = await begun(stage);
      assertRefused(await finish(stage, "nothing", code), { group: 3, code: 33 });
      const other = { email, registrationtoken: "nothing" };
      assertRefused(await start(stage, other), { group: 3, code: 33 });
      assertRefused(await finish(stage, token, wrong(code)), { group: 3, code: 34 });
      assert.equal((await finish(stage, token, code)).status, 200);
    },
  },
  {
    name: "refuses a code that is wanted too often, or wrong too often",
    clauses: ["2.5"],
    needs: ["registration"],
    async run(stage) {
      const { email, token, code } = await begun(stage);
      await untilCode(
        41,
        () => start(stage, { email, registrationtoken: token }),
        (answer) => assert.equal(answer.status, 200, answer.text),
      );
      await untilCode(
        42,
        () => finish(stage, token, wrong(code)),
        (answer) => assertRefused(answer, { group: 3, code: 34 }),
      );
    },
  },
  {
    name: "refuses a code that comes too late",
    clauses: ["2.6"],
    needs: ["registration"],
    isHasty: true,
    waitsFor: ({ registrationCodeMs = 300_000 }) => registrationCodeMs,
    async run(stage) {
      const { token, code } = await begun(stage);
      await pause((stage.endpoint.registrationCodeMs ?? 300_000) * 1.2);
      assertRefused(await finish(stage, token, code), { group: 3, code: 43 });
    },
  },
];
