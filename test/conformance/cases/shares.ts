import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { assertRefused } from "../stage.js";
import type { Answer } from "../wire.js";

/** How often a case that a busy machine spoilt is begun anew. */
const ATTEMPTS_MAX = 5;

function assertTooMany(answer: Answer): void {
  assertRefused(answer, { status: 429, group: 2 });
  const seconds = Number(answer.headers["retry-after"]);
  assert.ok(Number.isInteger(seconds) && seconds >= 1, String(answer.headers["retry-after"]));
}

export const SHARES: readonly Case[] = [
  {
    name: "answers requests beyond a key's share of a second with 429, and those of other keys",
    clauses: ["6.1", "1.11", "1.7"],
    needs: ["freshAccount", "smallShare"],
    isHasty: true,
    async run(stage) {
      const count = stage.limits.requestsPerSecondMax * 2 + 5;
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const session = await stage.newSession(stage.anotherAccount());
        const from = performance.now();
        const answers = await Promise.all(
          Array.from({ length: count }, () =>
            session.call("/item/get", { portals: [] }, { isUnpaced: true }),
          ),
        );
        const isWithinASecond = performance.now() - from < 1_000;
        const refused = answers.filter(({ status }) => status !== 200);
        refused.forEach(assertTooMany);
        const other = await stage.newSession(stage.anotherAccount());
        assert.equal((await other.call("/item/get", { portals: [] })).status, 200);
        if (!isWithinASecond) continue;
        assert.ok(refused.length >= count - stage.limits.requestsPerSecondMax - 1);
        assert.ok(refused.length < count, "some are served");
        return;
      }
      assert.fail("the requests took longer than a second");
    },
  },
  {
    name: "answers requests beyond an account's share of a month with 429",
    clauses: ["6.2", "1.11"],
    needs: ["freshAccount", "smallShare"],
    isHasty: true,
    async run(stage) {
      const session = await stage.newSession();
      const { requestsPerMonthMax } = stage.limits;
      let served = 0;
      for (;;) {
        const answer = await session.call("/item/get", { portals: [] });
        if (answer.status !== 200) {
          assertTooMany(answer);
          break;
        }
        served += 1;
        assert.ok(served <= requestsPerMonthMax, "no more than the month's");
      }
      assert.ok(served >= requestsPerMonthMax - 1, String(served));
    },
  },
];
