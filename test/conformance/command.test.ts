import { strict as assert } from "node:assert";
import { XrtcServer } from "../../src/server/index.js";
import { conformance, GENTLE_REQUESTS_MAX } from "./command.js";
import { ACCOUNT_LIST, serverOptions, sidesOf } from "./local-target.js";

const [account] = ACCOUNT_LIST;
const credentials = {
  XRTC_CONFORMANCE_ACCOUNTS: `${account?.accountId}:${account?.apiKey}`,
};
const limits = {
  ...sidesOf("hosted").hasty,
  requestsPerSecondMax: 100,
  sessionIdleMsMax: 60_000,
  itemAgeMsMax: 3_600_000,
  requestsPerMonthMax: 1_000_000,
};
const OPTIONS = (["getTimeoutMs", "loginIntervalMsMin", "requestsPerSecondMax"] as const).flatMap(
  (name) => ["--limit", `${name}=${limits[name]}`],
);

interface Asked {
  readonly code: number;
  readonly lines: readonly string[];
  readonly requests: number;
}

/** Asks a server with one account for what the hosted service may be asked. */
async function askedGently(...argv: readonly string[]): Promise<Asked> {
  await using server = new XrtcServer(serverOptions("hosted", limits));
  const args = ["--url", await server.listen(), "--gentle", ...OPTIONS, ...argv];
  const lines: string[] = [];
  const code = await conformance(args, credentials, (line) => {
    lines.push(line);
  });
  return { code, lines, requests: server.stats.requests };
}

const print = (): void => {};

describe("npm run conformance", function () {
  this.timeout(60_000);

  let runs: Promise<readonly [Asked, Asked]>;

  before(() => {
    // Each spends its time on waiting.
    runs = Promise.all([askedGently(), askedGently("--extensions", "seq")]);
  });

  it("asks what the hosted service may be asked, with one account and few requests", async () => {
    const [{ code, lines, requests }] = await runs;
    assert.equal(code, 0, lines.join("\n"));
    assert.ok(requests <= GENTLE_REQUESTS_MAX, String(requests));
    const last = lines.at(-1) ?? "";
    assert.match(last, new RegExp(`^\\d+ passed, 0 failed, \\d+ not asked; ${requests} requests$`));
    assert.ok(lines.some((line) => line.startsWith("Not asked of this server: clauses ")));
    assert.ok(!lines.join("\n").includes(account?.apiKey ?? ""), "no key is printed");
  });

  it("tells what a server does otherwise, and fails", async () => {
    const [, { code, lines }] = await runs;
    assert.equal(code, 1);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("✖")).map((line) => line.split("\n")[0]),
      ["✖ answers items in their form, and {} when there are none (5.1)"],
    );
  });

  it("asks nobody without a URL, credentials, or a known limit", async () => {
    const codes = [];
    codes.push(await conformance([], credentials, print));
    codes.push(await conformance(["--url", "http://localhost:1/v1"], {}, print));
    codes.push(
      await conformance(["--url", "http://localhost:1/v1", "--limit", "x=1"], credentials, print),
    );
    codes.push(await conformance(["--urls", "http://localhost:1/v1"], credentials, print));
    assert.deepEqual(codes, [2, 2, 2, 2]);
  });

  it("lists every clause with its cases", async () => {
    const lines: string[] = [];
    assert.equal(await conformance(["--list"], {}, (line) => lines.push(line)), 0);
    assert.ok(lines.some((line) => line.startsWith("  7.7 ")));
  });
});
