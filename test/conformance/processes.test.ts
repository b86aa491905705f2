import { strict as assert } from "node:assert";
import { needsRedis } from "../support/redis.js";
import { startProcesses, type StartedProcesses } from "./process-target.js";
import { describeConformance, LOCAL_NOT_ASKED } from "./suite.js";

let started: StartedProcesses | undefined;

describeConformance("conformance of two processes on one Redis, requests taking turns", [
  {
    name: "The preset local",
    needs: needsRedis,
    async start() {
      started = await startProcesses(2);
      return started;
    },
    notAsked: LOCAL_NOT_ASKED,
  },
]);

describe("the proxy in front of two processes", () => {
  it("asked both alike", function () {
    needsRedis(this);
    const [one = 0, other = 0] = started?.counts ?? [];
    assert.ok(one > 100 && Math.abs(one - other) <= 2, `${one} and ${other} requests`);
  });
});
