import { strict as assert } from "node:assert";
import { needsRedis } from "../support/redis.js";
import { startProcesses, type StartedProcesses } from "./process-target.js";
import { describeConformance, LOCAL_NOT_ASKED } from "./suite.js";

describe("conformance of two processes on one Redis, requests taking turns", () => {
  let started: StartedProcesses | undefined;

  describeConformance("The preset local", {
    before: needsRedis,
    async start() {
      started = await startProcesses(2);
      return started;
    },
    notAsked: LOCAL_NOT_ASKED,
  });

  describe("The proxy in front of them", () => {
    it("asked both alike", function () {
      needsRedis(this);
      const [one = 0, other = 0] = started?.counts ?? [];
      assert.ok(one > 100 && Math.abs(one - other) <= 2, `${one} and ${other} requests`);
    });
  });
});
