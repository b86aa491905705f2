import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientRegistry } from "../../nodes/lib/client-registry.js";
import { LIMITS, PATHS, Redacted, systemClock, type Usage } from "../../src/index.js";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";

describe("The month's count of a Node-RED", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "xrtc-count-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is kept in its user directory, goes on after a restart, and is told when it gets scarce", async () => {
    await using service = await startService({
      preset: "hosted",
      limits: { loginIntervalMsMin: 0 },
    });
    const target = {
      loginUrl: service.baseUrl + PATHS.login,
      setUrl: service.baseUrl + PATHS.set,
      getUrl: service.baseUrl + PATHS.get,
      accountId: ACCOUNT_ID,
      apiKey: new Redacted(API_KEY),
      limits: { ...LIMITS.hosted, loginIntervalMsMin: 0, requestsPerMonthMax: 5 },
      allowInsecure: false,
    };
    const told: string[] = [];
    /** One life of a Node-RED, with a login and a set. */
    const live = async (): Promise<Usage> => {
      const clients = new ClientRegistry({
        clock: systemClock,
        onError: (thrown) => assert.fail(String(thrown)),
        onUsage: ({ level }) => told.push(level),
        counterFolder: folder,
      });
      const lease = clients.acquire(target, "me");
      try {
        await lease.value.setItems([{ portalId: "p", payload: "x" }]);
        return lease.value.usage.value;
      } finally {
        lease.release();
        clients.endHeld();
        await clients.settled();
      }
    };
    assert.equal((await live()).used, 2);
    assert.equal((await live()).used, 4);
    await assert.rejects(live(), { code: "XRTC_BUDGET_SPENT" });
    assert.deepEqual(told, ["warn", "warn", "stop"]);
    const [file = ""] = await readdir(folder);
    assert.match(file, /^requests-[0-9a-f]{16}\.json$/);
    const text = await readFile(join(folder, file), "utf8");
    assert.equal((JSON.parse(text) as { used: number }).used, 5);
  });
});
